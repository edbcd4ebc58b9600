/** What a person types at the prompt. Pure parsing; `main` runs it. */

export type Order =
  | { kind: 'set'; device: string; point: string; value: number | boolean | string; reason?: string }
  | { kind: 'read'; device: string; point: string }
  | { kind: 'filter'; text: string }
  | { kind: 'health' }
  | { kind: 'help' }
  | { kind: 'quit' }
  | { kind: 'mistake'; message: string };

export const helpLines = [
  'set DEVICE.POINT VALUE [why]   sets a point and shows how it ended; "VALUE" is text',
  'read DEVICE.POINT              asks the device now',
  'filter TEXT                    shows only points whose name has the text; empty shows all',
  'health                         what Save & test would say',
  'quit                           ends (so does Ctrl-C)',
];

/** `set boiler.setpoint 55 too cold` and so on. */
export function parseOrder(line: string): Order {
  const [word = '', ...rest] = wordsOf(line);
  switch (word) {
    case 'set': {
      const [name = '', value, ...why] = rest;
      const place = parsePlace(name);
      if (!place || value === undefined) return { kind: 'mistake', message: 'set takes a point and a value: set boiler.setpoint 55' };
      return { kind: 'set', ...place, value: parseValue(value), ...(why.length > 0 ? { reason: why.join(' ') } : {}) };
    }
    case 'read': {
      const place = parsePlace(rest[0] ?? '');
      return place ? { kind: 'read', ...place } : { kind: 'mistake', message: 'read takes a point: read boiler.flow_temp' };
    }
    case 'filter':
      return { kind: 'filter', text: rest.join(' ') };
    case 'health':
    case 'help':
    case 'quit':
      return { kind: word };
    case 'exit':
    case 'q':
      return { kind: 'quit' };
    default:
      return { kind: 'mistake', message: `${JSON.stringify(word)} is no order; known are set, read, filter, health, help, quit` };
  }
}

/** Blanks part words, except within double quotes. */
function wordsOf(line: string): string[] {
  return line.match(/"[^"]*"|\S+/g) ?? [];
}

/** Device ids may hold dots, point ids may not. */
function parsePlace(name: string): { device: string; point: string } | undefined {
  const dot = name.lastIndexOf('.');
  return dot > 0 && dot < name.length - 1 ? { device: name.slice(0, dot), point: name.slice(dot + 1) } : undefined;
}

/** Integers beyond 2^53 stay text, as the resource takes them, and so does what is in quotes. */
function parseValue(text: string): number | boolean | string {
  if (/^".*"$/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : text;
}
