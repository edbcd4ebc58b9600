/**
 * Frame → an Arrow IPC file, as Grafana's Go SDK reads it (sdk data/arrow.go; traps in facts/grafana.md §2.9): Utf8 and never
 * Dictionary, Timestamp in nanoseconds, `nullable` only where a null is, metadata `tstype`, `labels`, `config`.
 * The file is handed on in pieces, the caller's typed arrays among them: whoever sends it copies each byte once. apache-arrow writes what
 * describes the columns; its own writer joins them too, which costs a million samples as much as all the rest.
 */
import {
  Field as ArrowField,
  Binary,
  Bool,
  type DataType,
  Float64,
  Int64,
  Schema,
  TimestampNanosecond,
  Uint16,
  Uint64,
  Utf8,
} from 'apache-arrow';
import { BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import { footerOf } from './footer.ts';
import { type CellType, type Field, type Frame, metaJson, rowsOf } from './frame.ts';
import { packBits, packCoded, packText, packValidity } from './pack.ts';

const tsType: Record<CellType, string> = {
  time: 'time',
  float64: 'number',
  int64: 'number',
  uint64: 'number',
  boolean: 'boolean',
  string: 'string',
  json: 'json',
  coded: 'string',
  enum: 'enum',
};

/** A column as it is written: what it is, and its buffers in the order of the format (validity, offsets, data). */
interface Column {
  arrowField: ArrowField;
  /** All that this field in the schema is made from. */
  says: string;
  nullCount: number;
  buffers: Uint8Array[];
}

/** Bytes whose concatenation is the file. Never empty: a frame of no columns is still a file. Throws if columns differ in length. */
export function frameToArrow(frame: Frame): Uint8Array[] {
  const rows = rowsOf(frame);
  const columns = frame.fields.map((field) => column(field, rows));
  const body = layOut(columns.flatMap(({ buffers }) => buffers));
  const nodes = columns.map(({ nullCount }) => new FieldNode(rows, nullCount));
  const batch = Message.encode(Message.from(new RecordBatch(rows, nodes, body.regions, null), body.length));
  const head = messageHead(batch.length);
  const metadata = frameMetadata(frame);
  const says = [...columns.map((one) => one.says), textOf([...metadata].flat())].join('');
  const fields = columns.map(({ arrowField }) => arrowField);
  const block = { offset: magic.length, metadataBytes: head.length + batch.length + padding(batch.length), bodyBytes: body.length };
  const footer = footerOf(says, () => new Schema(fields, metadata), block);
  return [magic, head, batch, zeros(padding(batch.length)), ...body.pieces, endOfStream, footer, footerTail(footer.length)];
}

/** Arrow columnar format, "IPC File Format" and "Encapsulated message format": everything begins at a multiple of eight. */
const magic = new TextEncoder().encode('ARROW1\0\0');
const endOfStream = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

function padding(length: number): number {
  return -length & 7;
}

function zeros(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** The mark of a message, and the length of what describes it. */
function messageHead(length: number): Uint8Array {
  const head = new Uint8Array(8).fill(0xff);
  new DataView(head.buffer).setInt32(4, length + padding(length), true);
  return head;
}

/** The footer's length, and the magic without its padding. */
function footerTail(length: number): Uint8Array {
  const tail = new Uint8Array(10);
  new DataView(tail.buffer).setInt32(0, length, true);
  tail.set(magic.subarray(0, 6), 4);
  return tail;
}

function layOut(buffers: readonly Uint8Array[]): { pieces: Uint8Array[]; regions: BufferRegion[]; length: number } {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const regions = buffers.map((buffer) => {
    const region = new BufferRegion(length, buffer.length);
    pieces.push(buffer, zeros(padding(buffer.length)));
    length += buffer.length + padding(buffer.length);
    return region;
  });
  return { pieces, regions, length };
}

function frameMetadata(frame: Frame): Map<string, string> {
  const metadata = new Map<string, string>();
  if (frame.name !== undefined) metadata.set('name', frame.name);
  if (frame.refId !== undefined) metadata.set('refId', frame.refId);
  if (frame.meta) metadata.set('meta', JSON.stringify(metaJson(frame.meta)));
  return metadata;
}

const noBytes = new Uint8Array();

function column(field: Field, rows: number): Column {
  const nulls = field.valid && packValidity(field.valid);
  const { type, buffers } = cells(field);
  const metadata = new Map([['tstype', tsType[field.type]]]);
  if (field.labels) metadata.set('labels', JSON.stringify(field.labels));
  if (field.config) metadata.set('config', JSON.stringify(field.config));
  return {
    arrowField: new ArrowField(field.name, type, nulls !== undefined, metadata),
    says: textOf([field.type, nulls ? 'nullable' : '', field.name, ...[...metadata].flat()]),
    nullCount: nulls ? rows - nulls.ones : 0,
    buffers: [nulls?.bits ?? noBytes, ...buffers],
  };
}

/** Different for different parts, whatever is in them; their number is said too. */
function textOf(parts: readonly string[]): string {
  return `${parts.length}\n${parts.map((part) => `${part.length} ${part}`).join('')}`;
}

function cells(field: Field): { type: DataType; buffers: Uint8Array[] } {
  switch (field.type) {
    case 'time':
      return { type: new TimestampNanosecond(), buffers: [bytesOf(field.values)] };
    case 'float64':
      return { type: new Float64(), buffers: [bytesOf(field.values)] };
    case 'int64':
      return { type: new Int64(), buffers: [bytesOf(field.values)] };
    case 'uint64':
      return { type: new Uint64(), buffers: [bytesOf(field.values)] };
    case 'boolean':
      return { type: new Bool(), buffers: [packBits(field.values).bits] };
    case 'string':
    case 'json': {
      const { offsets, bytes } = packText(field.values);
      // What the Go decoder takes for JSON (sdk data/arrow.go): bytes.
      return { type: field.type === 'json' ? new Binary() : new Utf8(), buffers: [bytesOf(offsets), bytes] };
    }
    case 'coded': {
      const { offsets, bytes } = packCoded(field.values, field.texts);
      return { type: new Utf8(), buffers: [bytesOf(offsets), bytes] };
    }
    case 'enum':
      return { type: new Uint16(), buffers: [bytesOf(field.values)] };
  }
}

/** The same memory: this machine and Arrow are little-endian. */
function bytesOf(values: BigInt64Array | BigUint64Array | Float64Array | Int32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
