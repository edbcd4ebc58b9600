/**
 * History as an Arrow IPC stream (Arrow columnar format, "IPC Streaming Format"), made piece by piece: a schema, batches, an end. One row a sample:
 * `time` (UTC, nanoseconds), `device`, `point`, a column for each kind of value there is (`double`, `int64`, `uint64`, `boolean`, `string`), of
 * which a row has at most one, `quality`, `reason` and `kind`, the name of the row's column.
 */
import {
  Bool,
  type Data,
  type DataType,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampNanosecond,
  tableToIPC,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { type ColumnKind, type Columns, qualities, type SeriesKey } from '../contract/sample.ts';
import { packBits, packText } from './pack.ts';

export interface ArrowStream {
  head(): Uint8Array;
  /** Samples of one series. */
  rows(key: SeriesKey, columns: Columns): Uint8Array;
  end(): Uint8Array;
}

const valueTypes: Record<ColumnKind, DataType> = {
  double: new Float64(),
  int64: new Int64(),
  uint64: new Uint64(),
  boolean: new Bool(),
  string: new Utf8(),
};

/** The end of a stream: a continuation mark and a length of zero. */
const endMark = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** For series of these kinds; a schema cannot change on the way. */
export function arrowStream(kinds: readonly ColumnKind[]): ArrowStream {
  const time = new TimestampNanosecond('UTC');
  const schema = new Schema([
    new Field('time', time, false),
    new Field('device', new Utf8(), false),
    new Field('point', new Utf8(), false),
    ...kinds.map((kind) => new Field(kind, valueTypes[kind], true)),
    new Field('quality', new Utf8(), false),
    new Field('reason', new Utf8(), false),
    new Field('kind', new Utf8(), false),
  ]);
  const head = withoutEnd(tableToIPC(new Table(schema, []), 'stream'));

  return {
    head: () => head,
    rows({ device, point }, columns) {
      const length = columns.times.length;
      const same = (value: string) => text(Array.from({ length }, () => value));
      const children = [
        makeData({ type: time, data: columns.times, length, nullCount: 0 }),
        same(device),
        same(point),
        ...kinds.map((kind) => (kind === columns.kind ? values(columns) : nothing(kind, length))),
        text(Array.from(columns.quality, (level) => qualities[level] ?? 'bad')),
        columns.reasons ? text(columns.reasons) : same(''),
        same(columns.kind),
      ];
      const struct = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
      const whole = withoutEnd(tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), 'stream'));
      // The schema is written once; a stream of one batch begins with the same bytes as one of none.
      return whole.subarray(head.length);
    },
    end: () => endMark,
  };
}

function withoutEnd(stream: Uint8Array): Uint8Array {
  return stream.subarray(0, stream.length - endMark.length);
}

function text(texts: readonly string[]): Data {
  const { offsets, bytes } = packText(texts);
  return makeData({ type: new Utf8(), valueOffsets: offsets, data: bytes, length: texts.length, nullCount: 0 });
}

function values({ kind, values: cells, valid, times: { length } }: Columns): Data {
  const { bits, ones } = packBits(valid);
  const nulls = { length, nullCount: length - ones, nullBitmap: bits };
  switch (kind) {
    case 'double':
      return makeData({ type: new Float64(), data: cells as Float64Array, ...nulls });
    case 'int64':
      return makeData({ type: new Int64(), data: cells as BigInt64Array, ...nulls });
    case 'uint64':
      return makeData({ type: new Uint64(), data: cells as BigUint64Array, ...nulls });
    case 'boolean':
      return makeData({ type: new Bool(), data: packBits(cells as Uint8Array).bits, ...nulls });
    case 'string': {
      const { offsets, bytes } = packText(cells as string[]);
      return makeData({ type: new Utf8(), valueOffsets: offsets, data: bytes, ...nulls });
    }
  }
}

/** A column of nulls. */
function nothing(kind: ColumnKind, length: number): Data {
  const none: Columns = {
    kind,
    times: new BigInt64Array(length),
    values: kind === 'string' ? Array.from({ length }, () => '') : new valueArrays[kind](length),
    valid: new Uint8Array(length),
    quality: new Uint8Array(length),
  };
  return values(none);
}

const valueArrays = { double: Float64Array, int64: BigInt64Array, uint64: BigUint64Array, boolean: Uint8Array } as const;
