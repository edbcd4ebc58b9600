/** A row a device, a column a point, of series with one row each: what tables of like devices and maps show untransformed. For people: Alerting passes over it. */
import { isDeepStrictEqual } from 'node:util';
import { type Cells, cell, type Field, type FieldConfig } from './frame.ts';
import type { Series } from './series.ts';

/** `time` is that of a device's newest value; labels without `point` are columns beside it. What a device does not have is null. */
export function deviceFields(series: readonly Series[]): Field[] {
  const rows = [...Map.groupBy(series, ({ labels }) => labels.device ?? '').values()];
  const labels = [...new Set(['device', ...series.flatMap((one) => Object.keys(one.labels))])].filter((name) => name !== 'point');
  const points = [...new Set(series.map(({ point }) => point))];
  const times = rows.map((own) => own.reduce((newest, { times: [time = 0n] }) => (time > newest ? time : newest), 0n));
  return [
    { name: 'time', type: 'time', values: BigInt64Array.from(times), valid: Uint8Array.from(times, (time) => (time === 0n ? 0 : 1)) },
    ...labels.map((name): Field => ({ name, type: 'string', values: rows.map(([first]) => first?.labels[name] ?? '') })),
    ...points.map((point) =>
      columnOf(
        point,
        rows.map((own) => newestOf(own, point)),
      ),
    ),
  ];
}

/** A point whose type has changed is there once a type; the newer one counts. */
function newestOf(own: readonly Series[], point: string): Series | undefined {
  return own
    .filter((one) => one.point === point)
    .reduce<Series | undefined>((best, one) => (best && (best.times[0] ?? 0n) >= (one.times[0] ?? 0n) ? best : one), undefined);
}

function columnOf(name: string, cells: readonly (Series | undefined)[]): Field {
  const there = cells.filter((one) => one !== undefined);
  return { ...joined(cells, there), name, config: sharedConfig(there) };
}

/** One type where all have one, else numbers where all are numbers, else texts. */
function joined(cells: readonly (Series | undefined)[], there: readonly Series[]): Cells {
  const types = new Set(there.map(({ value }) => value.type));
  const valid = Uint8Array.from(cells, (one) => one?.value.valid?.[0] ?? (one ? cell.value : cell.null));
  const raw = cells.map((one, i) => (valid[i] === cell.value ? one?.value.values[0] : undefined));
  const [type] = types.size === 1 ? types : [types.has('string') ? ('string' as const) : ('float64' as const)];
  switch (type) {
    case 'int64':
      return { type, valid, values: BigInt64Array.from(raw, (value) => BigInt(value ?? 0)) };
    case 'uint64':
      return { type, valid, values: BigUint64Array.from(raw, (value) => BigInt(value ?? 0)) };
    case 'boolean':
      return { type, valid, values: Uint8Array.from(raw, (value) => Number(value ?? 0)) };
    case 'string':
      return { type, valid, values: raw.map((value) => String(value ?? '')) };
    default:
      return { type: 'float64', valid, values: Float64Array.from(raw, (value) => Number(value ?? 0)) };
  }
}

/** Display settings that all devices agree in; the head of the column is the point. */
function sharedConfig([first, ...others]: readonly Series[]): FieldConfig {
  const entries = Object.entries(first?.config ?? {}).filter(
    ([key, value]) =>
      key !== 'displayNameFromDS' && others.every(({ config }) => isDeepStrictEqual(config[key as keyof FieldConfig], value)),
  );
  return Object.fromEntries(entries);
}
