/**
 * Frame → JSON of a Live packet (sdk data/frame_json.go): `{ schema, data }` first, `{ data }` after. Times are milliseconds with the
 * rest in `nanos`; NaN, the infinities and holes are null with their place in `entities`. 64-bit integers are number literals with all
 * digits: exact for a reader that keeps them, and what the Go decoder accepts (it refuses strings).
 */
import { type CellType, cell, type Field, type Frame, metaJson, rowsOf } from './frame.ts';

/** Grafana's name of a column's kind in the browser, and of the Go type behind it. */
const typeNames: Record<CellType, { type: string; frame: string }> = {
  time: { type: 'time', frame: 'time.Time' },
  float64: { type: 'number', frame: 'float64' },
  int64: { type: 'number', frame: 'int64' },
  uint64: { type: 'number', frame: 'uint64' },
  boolean: { type: 'boolean', frame: 'bool' },
  string: { type: 'string', frame: 'string' },
  json: { type: 'other', frame: 'json.RawMessage' },
  coded: { type: 'string', frame: 'string' },
  enum: { type: 'enum', frame: 'enum' },
};

interface Entities {
  NaN?: number[];
  Inf?: number[];
  NegInf?: number[];
  Undef?: number[];
}

/** The packet's bytes. Throws if columns differ in length. */
export function frameToJson(frame: Frame, include: 'schema+data' | 'data'): Uint8Array {
  const data = dataJson(frame);
  return new TextEncoder().encode(include === 'data' ? `{"data":${data}}` : `{"schema":${schemaJson(frame)},"data":${data}}`);
}

function schemaJson(frame: Frame): string {
  return JSON.stringify({
    ...(frame.name === undefined ? {} : { name: frame.name }),
    ...(frame.refId === undefined ? {} : { refId: frame.refId }),
    ...(frame.meta ? { meta: metaJson(frame.meta) } : {}),
    fields: frame.fields.map((field) => ({
      name: field.name,
      type: typeNames[field.type].type,
      typeInfo: { frame: typeNames[field.type].frame, nullable: field.valid?.some((mark) => mark !== cell.value) ?? false },
      ...(field.labels ? { labels: field.labels } : {}),
      ...(field.config ? { config: field.config } : {}),
    })),
  });
}

function dataJson(frame: Frame): string {
  rowsOf(frame);
  const entities = frame.fields.map(entitiesOf);
  const nanos = frame.fields.map(nanosOf);
  const parts = [`"values":[${frame.fields.map(valuesJson).join(',')}]`];
  if (entities.some((found) => found !== null)) parts.push(`"entities":${JSON.stringify(entities)}`);
  if (nanos.some((found) => found !== null)) parts.push(`"nanos":${JSON.stringify(nanos)}`);
  return `{${parts.join(',')}}`;
}

function valuesJson(field: Field): string {
  const texts: string[] = [];
  const valid = field.valid;
  for (let i = 0; i < field.values.length; i += 1) {
    const value = field.values[i];
    if (value === undefined || (valid && valid[i] !== cell.value)) texts.push('null');
    else if (field.type === 'boolean') texts.push(value === 1 ? 'true' : 'false');
    else if (field.type === 'time') texts.push(String(floorMs(BigInt(value))));
    else if (field.type === 'json') texts.push(String(value));
    else if (field.type === 'coded') texts.push(JSON.stringify(field.texts[value as number]));
    else if (typeof value === 'bigint') texts.push(value.toString());
    else texts.push(JSON.stringify(value));
  }
  return `[${texts.join(',')}]`;
}

/** Milliseconds at or before a time, so that the nanoseconds left over are never negative. */
function floorMs(timeNs: bigint): bigint {
  return (timeNs - nanosWithinMs(timeNs)) / 1_000_000n;
}

function nanosWithinMs(timeNs: bigint): bigint {
  return ((timeNs % 1_000_000n) + 1_000_000n) % 1_000_000n;
}

function nanosOf(field: Field): number[] | null {
  if (field.type !== 'time') return null;
  const nanos = Array.from(field.values, (time, i) => (field.valid && field.valid[i] !== cell.value ? 0 : Number(nanosWithinMs(time))));
  return nanos.some((rest) => rest !== 0) ? nanos : null;
}

function entitiesOf(field: Field): Entities | null {
  const found: Entities = {};
  const add = (key: keyof Entities, row: number) => {
    const rows = found[key] ?? [];
    rows.push(row);
    found[key] = rows;
  };
  for (let i = 0; i < field.values.length; i += 1) {
    const mark = field.valid?.[i] ?? cell.value;
    if (mark === cell.hole) add('Undef', i);
    if (mark !== cell.value || field.type !== 'float64') continue;
    const value = field.values[i] ?? 0;
    if (Number.isNaN(value)) add('NaN', i);
    else if (value === Number.POSITIVE_INFINITY) add('Inf', i);
    else if (value === Number.NEGATIVE_INFINITY) add('NegInf', i);
  }
  return Object.keys(found).length > 0 ? found : null;
}
