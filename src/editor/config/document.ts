/** The settings as a plain document: read and changed by path, every change a new document that shares what stayed. What nobody here knows is carried along. */

/** From the document inwards: names of members, indices of lists. */
export type Path = readonly (string | number)[];
export type Item = Record<string, unknown>;

export const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A member as an object; empty where it is absent or something else. */
export const itemOf = (value: unknown): Item => (isItem(value) ? value : {});

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The `id` of an element of a list, '' if it has none. */
export const idOf = (value: unknown): string => textOf(itemOf(value).id);

export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (Array.isArray(value) || isItem(value) ? (value as Item)[key] : undefined), document);
}

/** A document in which `path` is `value`; `undefined` takes the member away. Objects and lists on the way are made where they are missing. */
export function withValue(document: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const list = [...listOf(document)];
    const next = withValue(list[key], rest, value);
    if (next === undefined) list.splice(key, 1);
    else list[key] = next;
    return list;
  }
  const { [key]: old, ...others } = itemOf(document);
  const next = withValue(old, rest, value);
  if (next === undefined) return others;
  // A member that is there keeps its place, so that an export does not shuffle.
  return { ...itemOf(document), [key]: next };
}

/** As the backend writes places: `devices[2].points[0].address.register`, other names as `["a b"]`. */
export function placeOf(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : /^[A-Za-z_]\w{0,63}$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
    .join('')
    .replace(/^\./, '');
}

/** True if `place` is `outer` or lies within it. */
export function isWithin(place: string, outer: string): boolean {
  return place === outer || (place.startsWith(outer) && (outer === '' || '.['.includes(place.charAt(outer.length))));
}

/** `boiler`, or `boiler-2`, `boiler-3` … where that is taken. */
export function freshId(wished: string, taken: Iterable<string>): string {
  const ids = new Set(taken);
  if (!ids.has(wished)) return wished;
  const stem = wished.replace(/-\d+$/, '');
  let number = 2;
  while (ids.has(`${stem}-${number}`)) number++;
  return `${stem}-${number}`;
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** A copy behind the original, under an id that is free. */
export function duplicated(list: readonly unknown[], index: number): unknown[] {
  const copy = { ...structuredClone(itemOf(list[index])), id: freshId(idOf(list[index]) || 'copy', list.map(idOf)) };
  return [...list.slice(0, index + 1), copy, ...list.slice(index + 1)];
}

/** Gives a connection another id, also where devices name it; a name that several connections have leaves the devices alone. */
export function withConnectionId(document: Item, index: number, id: string): Item {
  const connections = listOf(document.connections);
  const old = idOf(connections[index]);
  const next = withValue(document, ['connections', index, 'id'], id === '' ? undefined : id) as Item;
  const isOnly =
    old !== '' && id !== '' && connections.filter((one) => idOf(one) === old).length === 1 && !connections.some((one) => idOf(one) === id);
  if (!isOnly || !Array.isArray(document.devices)) return next;
  const devices = document.devices.map((device) => (isItem(device) && device.connection === old ? { ...device, connection: id } : device));
  return { ...next, devices };
}

/** A document whose texts are changed; names of members are not. */
export function withTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => withTexts(one, change));
  return isItem(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTexts(one, change)])) : value;
}

/** Bytes of the settings as Grafana stores them. */
export function bytesOf(document: unknown): number {
  return new TextEncoder().encode(JSON.stringify(document) ?? '').length;
}
