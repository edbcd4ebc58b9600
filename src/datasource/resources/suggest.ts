import { badPart } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Store } from '../../store/store.ts';
import type { BuiltIn } from '../built-in.ts';
import type { Instance } from '../instance.ts';
import { type Selection, selects } from '../query-parse.ts';
import { labelsOf } from '../query-series.ts';
import type { Handler } from './ask.ts';
import { profilesOf } from './profiles.ts';
import { readChoice, readLimit, readSelection } from './selection.ts';

const kinds = ['devices', 'points', 'labels', 'values', 'commands', 'connections', 'profiles'] as const;

/** By id, with a title where there is another one. */
type Names = Map<string, string>;

/**
 * `GET suggest?what=points&device=boiler&prefix=flow&limit=50`: `{ suggestions: [{ value, text? }], more, total }`, in order of value. `prefix` is looked
 * for, whatever its case, at the beginning of ids and of words of titles. `values` are those of the label `name`. Devices and points of the history
 * are among them when their settings are gone, because queries find them.
 */
export function suggestHandler(store: Store, builtIn: BuiltIn): Handler {
  return async ({ instance, query }) => {
    const what = readChoice(query, 'what', kinds);
    const limit = readLimit(query, limits.suggestDefault, limits.suggestMax);
    const prefix = (query.get('prefix') ?? '').slice(0, limits.patternLengthMax).toLowerCase();
    const names = await namesOf(what, instance, readSelection(query), { query, store, builtIn });
    const found = [...names]
      .filter(([value, text]) => begins(value, prefix) || begins(text, prefix))
      .sort(([one], [other]) => (one < other ? -1 : 1));
    const suggestions = found.slice(0, limit).map(([value, text]) => ({ value, ...(text === value ? {} : { text }) }));
    return { body: { suggestions, more: found.length > limit, total: found.length } };
  };
}

async function namesOf(
  what: (typeof kinds)[number],
  instance: Instance,
  selection: Selection,
  { query, store, builtIn }: { query: URLSearchParams; store: Store; builtIn: BuiltIn },
): Promise<Names> {
  const { gateway } = instance;
  const devices = gateway.devices().flatMap(({ id }) => {
    const device = gateway.device(id);
    return device && selection.device(id) && selection.labels({ ...device.labels, device: id }) ? [device] : [];
  });
  switch (what) {
    case 'devices': {
      const past = (await store.series(instance.key)).filter(({ device }) => selection.device(device) && !gateway.device(device));
      return new Map([...(query.has('label') ? [] : past.map(({ device }) => [device, device] as const)), ...devices.map(named)]);
    }
    case 'points': {
      const past = (await store.series(instance.key)).filter((key) => selects(selection, key, labelsOf(key, gateway)));
      const now = devices.flatMap(({ points }) => points).filter(({ id }) => selection.point(id));
      return new Map([...past.map(({ point }) => [point, point] as const), ...now.map(named)]);
    }
    case 'labels':
    case 'values': {
      const labels = devices.flatMap(({ points, ...device }) => [device.labels, ...points.map((point) => point.labels)]);
      const name = query.get('name') ?? '';
      if (what === 'labels') return same(labels.flatMap((one) => Object.keys(one)));
      if (name === '') throw badPart('name', 'is missing; allowed is the name of a label');
      return same(labels.flatMap((one) => (Object.hasOwn(one, name) ? [one[name] ?? ''] : [])));
    }
    case 'commands':
      return new Map(devices.flatMap(({ actions }) => actions).map(named));
    case 'connections':
      return new Map(gateway.connections().map(named));
    case 'profiles':
      return new Map(profilesOf(instance, builtIn).map(named));
  }
}

function named({ id, title }: { id: string; title?: string | undefined }): [string, string] {
  return [id, title ?? id];
}

function same(values: readonly string[]): Names {
  return new Map(values.map((value) => [value, value]));
}

function begins(text: string, prefix: string): boolean {
  const lower = text.toLowerCase();
  return lower.startsWith(prefix) || lower.includes(` ${prefix}`);
}
