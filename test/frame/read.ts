/** Reads what we wrote with apache-arrow, into something a golden file can hold: 64-bit values as digits, NaN and the infinities by name. */
import { type Data, tableFromIPC, type Vector } from 'apache-arrow';

export interface ReadField {
  name: string;
  arrow: string;
  nullable: boolean;
  tstype: string | undefined;
  labels?: unknown;
  config?: unknown;
  values: unknown[];
}

export interface ReadFrame {
  name?: string | undefined;
  refId?: string | undefined;
  meta?: unknown;
  fields: ReadField[];
}

export function readFrame(pieces: readonly Uint8Array[]): ReadFrame {
  const bytes = Buffer.concat(pieces);
  if (new TextDecoder().decode(bytes.subarray(0, 6)) !== 'ARROW1') throw new Error('not an Arrow file');
  const table = tableFromIPC(bytes);
  const meta = table.schema.metadata.get('meta');
  return {
    name: table.schema.metadata.get('name'),
    refId: table.schema.metadata.get('refId'),
    meta: meta === undefined ? undefined : JSON.parse(meta),
    fields: table.schema.fields.map((field, i) => {
      const labels = field.metadata.get('labels');
      const config = field.metadata.get('config');
      return {
        name: field.name,
        arrow: String(field.type),
        nullable: field.nullable,
        tstype: field.metadata.get('tstype'),
        ...(labels === undefined ? {} : { labels: JSON.parse(labels) }),
        ...(config === undefined ? {} : { config: JSON.parse(config) }),
        values: values(table.getChildAt(i)),
      };
    }),
  };
}

/** Straight from the buffers where apache-arrow would convert: a Timestamp's getter gives milliseconds. */
function values(vector: Vector | null): unknown[] {
  if (!vector) return [];
  return vector.data.flatMap((data: Data, chunk) =>
    Array.from({ length: data.length }, (_, i) => {
      if (!data.getValid(i)) return null;
      if (data.values instanceof BigInt64Array || data.values instanceof BigUint64Array) return `${data.values[i]}`;
      const value: unknown = vector.data[chunk] === data ? vector.get(i) : undefined;
      if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
        return Object.is(value, -0) ? '-0' : String(value);
      return value;
    }),
  );
}

/** One column by name; throws if there is none, so that a test that looks for it fails with its name. */
export function fieldOf(frame: ReadFrame, name: string): ReadField {
  const field = frame.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`no field ${name}; there are ${frame.fields.map((candidate) => candidate.name).join(', ')}`);
  return field;
}
