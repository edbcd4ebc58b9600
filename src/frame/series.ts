/** One series on its way into frames: the store's columns, with what names and describes them. */
import type { Columns, Reason } from '../contract/sample.ts';
import { qualities } from '../contract/sample.ts';
import type { Cells, Field, FieldConfig } from './frame.ts';

export interface Series {
  /** Unique within an answer: `boiler.flow_temp`, or `boiler.state (string)` where one point has two kinds. */
  name: string;
  /** The value field's name: the point. */
  point: string;
  labels: Record<string, string>;
  config: FieldConfig;
  times: BigInt64Array;
  value: Cells;
  /** Present when the query asks for it: 0 good, 1 uncertain, 2 bad, one a row. */
  quality?: Uint8Array;
  /** Absent where nothing is wrong with any row. */
  reasons?: readonly Reason[];
}

/** Columns of the store as cells of a frame, without a copy. */
export function cellsOf(columns: Pick<Columns, 'kind' | 'values' | 'valid'>): Cells {
  const { values, valid } = columns;
  if (columns.kind === 'double' && values instanceof Float64Array) return { type: 'float64', values, valid };
  if (columns.kind === 'int64' && values instanceof BigInt64Array) return { type: 'int64', values, valid };
  if (columns.kind === 'uint64' && values instanceof BigUint64Array) return { type: 'uint64', values, valid };
  if (columns.kind === 'boolean' && values instanceof Uint8Array) return { type: 'boolean', values, valid };
  if (columns.kind === 'string' && Array.isArray(values)) return { type: 'string', values, valid };
  throw new Error(`a column of kind ${columns.kind} came in a ${values.constructor.name}`);
}

/** What charts and alert rules can compute with. */
export function isNumeric(series: Pick<Series, 'value'>): boolean {
  return series.value.type !== 'string';
}

/** The quality column: 0, 1, 2 with their names. An enum, so that Alerting takes it neither for a value nor for a dimension. */
export function qualityField(name: string, quality: Uint8Array, valid?: Uint8Array): Field {
  return {
    name,
    type: 'enum',
    values: Uint16Array.from(quality),
    ...(valid ? { valid } : {}),
    config: { type: { enum: { text: [...qualities] } } },
  };
}

/** Why a row is not good; an enum too. Most answers have no reason at all. */
export function reasonField(name: string, reasons: readonly Reason[] | undefined, rows: number): Field {
  if (reasons) return textField(name, reasons);
  return { name, type: 'enum', values: new Uint16Array(rows), config: { type: { enum: { text: [''] } } } };
}

/** Texts as an enum: shown as text, small, and no dimension of a series. A column of more than 65,535 different texts is a string column. */
export function textField(name: string, texts: readonly (string | null)[]): Field {
  const places = new Map<string, number>();
  const values = new Uint16Array(texts.length);
  const valid = new Uint8Array(texts.length);
  for (let i = 0; i < texts.length; i += 1) {
    const text = texts[i] ?? null;
    if (text === null) continue;
    let place = places.get(text);
    if (place === undefined) {
      if (places.size === 0xffff)
        return {
          name,
          type: 'string',
          values: texts.map((one) => one ?? ''),
          valid: Uint8Array.from(texts, (one) => (one === null ? 0 : 1)),
        };
      place = places.size;
      places.set(text, place);
    }
    values[i] = place;
    valid[i] = 1;
  }
  return { name, type: 'enum', values, valid, config: { type: { enum: { text: [...places.keys()] } } } };
}
