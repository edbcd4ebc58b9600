/** Data types of Sparkplug B (specification 3.0, §6.4.16) and the values in them. Pure. */
import type { Shape } from '../../../src/contract/driver.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Reason, Value } from '../../../src/contract/sample.ts';
import type { DataSet, Metric, Raw } from './payload.ts';
import type { FieldWriter } from './wire.ts';

/** In the order of their numbers, which begin at 1. Property sets are no values of a metric. */
const names = [
  ...['Int8', 'Int16', 'Int32', 'Int64', 'UInt8', 'UInt16', 'UInt32', 'UInt64', 'Float', 'Double', 'Boolean', 'String', 'DateTime'],
  ...['Text', 'UUID', 'DataSet', 'Bytes', 'File', 'Template', 'PropertySet', 'PropertySetList'],
  ...['Int8Array', 'Int16Array', 'Int32Array', 'Int64Array', 'UInt8Array', 'UInt16Array', 'UInt32Array', 'UInt64Array'],
  ...['FloatArray', 'DoubleArray', 'BooleanArray', 'StringArray', 'DateTimeArray'],
];

/** Those a point can have: a template is its members. */
export const typeNames = names.filter((name) => !['Template', 'PropertySet', 'PropertySetList'].includes(name));

export const typeName = (type: number | undefined): string => names[(type ?? 0) - 1] ?? `type ${type ?? 0}`;
export const typeNumber = (name: string): number => names.indexOf(name) + 1;
export const template = typeNumber('Template');

const whole = /^(U?)Int(8|16|32|64)$/;
const texts = new Set(['String', 'Text', 'UUID']);
const writable = new Set(['Float', 'Double', 'Boolean', 'String', 'Text', 'UUID', 'DateTime']);

export function shapeOfType(name: string): Shape {
  const match = whole.exec(name);
  if (match) {
    const bits = BigInt(match[2] ?? 0);
    return match[1] === 'U'
      ? { type: 'integer', min: 0n, max: 2n ** bits - 1n }
      : { type: 'integer', min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n };
  }
  if (name === 'DateTime') return { type: 'integer', min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) };
  if (name === 'Float') return { type: 'float32' };
  if (name === 'Double') return { type: 'float64' };
  if (name === 'Boolean') return { type: 'boolean' };
  return { type: 'string' };
}

/** Whether a value of this type can be sent. */
export const isWritable = (name: string): boolean => whole.test(name) || writable.has(name);

/** Writes a value, which has the type's shape, into the field of a metric that the type has (§6.4.16). */
export function writeValue(name: string, value: Value, to: FieldWriter): void {
  const match = whole.exec(name);
  if (match) {
    const bits = Number(match[2]);
    const encoded = BigInt.asUintN(bits, BigInt(value as number | bigint));
    to.uint(bits === 64 ? 11 : 10, encoded);
  } else if (name === 'DateTime') to.uint(11, BigInt(value as number | bigint));
  else if (name === 'Float') to.float(12, Number(value));
  else if (name === 'Double') to.double(13, Number(value));
  else if (name === 'Boolean') to.bool(14, value === true || value === 1);
  else to.text(15, String(value));
}

export type Decoded = { value: Value; reason: Reason; detail?: string };

/** What a metric says, by its type; what cannot be read is a reason with words. */
export function decodeMetric(metric: Metric, type: string): Decoded {
  if (metric.isNull) return { value: null, reason: 'sentinel', detail: 'it says that it has no value (is_null)' };
  if (metric.value === undefined) return { value: null, reason: 'decode', detail: 'it has neither a value nor is_null' };
  try {
    return { value: decode(type, metric.value, metric.fileName), reason: '' };
  } catch (error) {
    return { value: null, reason: 'decode', detail: (error as Error).message };
  }
}

function decode(type: string, raw: Raw, fileName: string | undefined): Value {
  const match = whole.exec(type);
  if (match) return wholeOf(type, raw, Number(match[2]), match[1] !== 'U');
  if (type === 'DateTime') return wholeOf(type, raw, 64, false);
  if (type === 'Float' || type === 'Double') {
    if (raw.is === 'float' || raw.is === 'double') return raw.value;
  } else if (type === 'Boolean') {
    if (raw.is === 'boolean') return raw.value;
    if (raw.is === 'int' && raw.value <= 1) return raw.value === 1;
  } else if (texts.has(type)) {
    if (raw.is === 'string') return kept(type, raw.value);
  } else if (type === 'DataSet') {
    if (raw.is === 'dataset') return kept(type, tableText(raw.value));
  } else if (raw.is === 'bytes') {
    if (type === 'File') return `${fileName ?? 'a file'}, ${raw.value.length} bytes`;
    if (type === 'Bytes') return kept(type, raw.value.toString('base64'));
    if (type.endsWith('Array')) return kept(type, listText(arrayOf(type.slice(0, -'Array'.length), raw.value)));
  }
  throw new Error(typeNames.includes(type) ? `${type} cannot be a ${raw.is} value` : `${type} is no data type that is known here`);
}

/**
 * The specification leaves open how wide a negative number is written; 8 or 16 bits, 32 bits and 64 bits occur. A number that fits none is no value.
 */
function wholeOf(type: string, raw: Raw, bits: number, isSigned: boolean): Value {
  if (raw.is !== 'int' && raw.is !== 'long') throw new Error(`${type} cannot be a ${raw.is} value`);
  const said = BigInt(raw.value);
  const width = [bits, 32, 64].find((some) => some >= bits && said < 1n << BigInt(some)) ?? 64;
  const value = isSigned ? BigInt.asIntN(width, said) : said;
  if (isSigned ? BigInt.asIntN(bits, value) !== value : value >= 1n << BigInt(bits)) throw new Error(`${said} is no ${type}`);
  return bits < 64 ? Number(value) : value;
}

function kept(type: string, text: string): string {
  if (text.length <= limits.sparkplugTextMax) return text;
  throw new Error(`its ${type} is a text of ${text.length} characters here; at most ${limits.sparkplugTextMax} are kept`);
}

/** Little-endian, one behind the other; booleans as bits behind their count, texts each with a zero byte (§6.4.16). */
function arrayOf(type: string, bytes: Buffer): (number | bigint | boolean | string)[] {
  if (type === 'String') return bytes.length === 0 ? [] : bytes.toString().replace(/\0$/, '').split('\0');
  if (type === 'Boolean') {
    const count = bytes.length < 4 ? 0 : bytes.readUInt32LE();
    if (bytes.length < 4 || count > (bytes.length - 4) * 8)
      throw new Error(`its BooleanArray of ${count} does not fit into ${bytes.length} bytes`);
    return Array.from({ length: count }, (_, index) => ((bytes[4 + (index >> 3)] ?? 0) & (0x80 >> (index & 7))) !== 0);
  }
  const match = whole.exec(type);
  const size = match ? Number(match[2]) / 8 : type === 'Float' ? 4 : 8;
  if (bytes.length % size !== 0) throw new Error(`its ${type}Array has ${bytes.length} bytes, which is no multiple of ${size}`);
  return Array.from({ length: bytes.length / size }, (_, index) => {
    const at = index * size;
    if (type === 'Float') return bytes.readFloatLE(at);
    if (type === 'Double') return bytes.readDoubleLE(at);
    if (size < 8) return match?.[1] === 'U' ? bytes.readUIntLE(at, size) : bytes.readIntLE(at, size);
    return match?.[1] === '' ? bytes.readBigInt64LE(at) : bytes.readBigUInt64LE(at);
  });
}

/** As JSON, with whole numbers of 64 bits in all their digits. */
const listText = (list: readonly (Value | undefined)[]) => `[${list.map(cellText).join(',')}]`;
const cellText = (value: Value | undefined) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value ?? null));

function tableText({ columns, types, rows }: DataSet): string {
  if (columns.length !== types.length) throw new Error(`its DataSet has ${columns.length} columns and ${types.length} types`);
  const cells = (row: (Raw | undefined)[]) => {
    if (row.length !== columns.length) throw new Error(`its DataSet has a row of ${row.length} and ${columns.length} columns`);
    return listText(row.map((raw, index) => (raw === undefined ? null : decode(typeName(types[index]), raw, undefined))));
  };
  return `{"columns":${listText(columns)},"rows":[${rows.map(cells).join(',')}]}`;
}
