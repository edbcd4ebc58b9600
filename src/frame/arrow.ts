/**
 * Frame → bytes of an Arrow IPC file, as Grafana's Go SDK reads it (sdk data/arrow.go; traps in facts/grafana.md §2.9): Utf8 and never
 * Dictionary, Timestamp in nanoseconds, `nullable` only where a null is, metadata `tstype`, `labels`, `config`.
 * Numbers and times go from the caller's typed arrays into the file without a copy in between.
 */
import {
  Field as ArrowField,
  Bool,
  type Data,
  type DataType,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampNanosecond,
  tableToIPC,
  Uint16,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { type CellType, type Field, type Frame, metaJson, rowsOf } from './frame.ts';
import { packBits, packText } from './pack.ts';

const tsType: Record<CellType, string> = {
  time: 'time',
  float64: 'number',
  int64: 'number',
  uint64: 'number',
  boolean: 'boolean',
  string: 'string',
  enum: 'enum',
};

/** Never empty: a frame of no columns is still a file. Throws if columns differ in length. */
export function frameToArrow(frame: Frame): Uint8Array {
  const rows = rowsOf(frame);
  const columns = frame.fields.map((field) => column(field, rows));
  const schema = new Schema(
    columns.map(({ arrowField }) => arrowField),
    frameMetadata(frame),
  );
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children: columns.map(({ data }) => data) });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), 'file');
}

function frameMetadata(frame: Frame): Map<string, string> {
  const metadata = new Map<string, string>();
  if (frame.name !== undefined) metadata.set('name', frame.name);
  if (frame.refId !== undefined) metadata.set('refId', frame.refId);
  if (frame.meta) metadata.set('meta', JSON.stringify(metaJson(frame.meta)));
  return metadata;
}

function column(field: Field, rows: number): { arrowField: ArrowField; data: Data } {
  const nulls = field.valid ? packBits(field.valid) : { bits: undefined, ones: rows };
  const nullCount = rows - nulls.ones;
  const validity = nullCount > 0 ? { nullCount, nullBitmap: nulls.bits } : { nullCount: 0 };
  const { type, data } = cells(field, { length: rows, ...validity });
  const metadata = new Map([['tstype', tsType[field.type]]]);
  if (field.labels) metadata.set('labels', JSON.stringify(field.labels));
  if (field.config) metadata.set('config', JSON.stringify(field.config));
  return { arrowField: new ArrowField(field.name, type, nullCount > 0, metadata), data };
}

function cells(
  field: Field,
  props: { length: number; nullCount: number; nullBitmap?: Uint8Array | undefined },
): { type: DataType; data: Data } {
  switch (field.type) {
    case 'time': {
      const type = new TimestampNanosecond();
      return { type, data: makeData({ type, data: field.values, ...props }) };
    }
    case 'float64': {
      const type = new Float64();
      return { type, data: makeData({ type, data: field.values, ...props }) };
    }
    case 'int64': {
      const type = new Int64();
      return { type, data: makeData({ type, data: field.values, ...props }) };
    }
    case 'uint64': {
      const type = new Uint64();
      return { type, data: makeData({ type, data: field.values, ...props }) };
    }
    case 'boolean': {
      const type = new Bool();
      return { type, data: makeData({ type, data: packBits(field.values).bits, ...props }) };
    }
    case 'string': {
      const type = new Utf8();
      const { offsets, bytes } = packText(field.values);
      return { type, data: makeData({ type, valueOffsets: offsets, data: bytes, ...props }) };
    }
    case 'enum': {
      const type = new Uint16();
      return { type, data: makeData({ type, data: field.values, ...props }) };
    }
  }
}
