/** One value at a place in the bytes of a message. */
import { isUtf8 } from 'node:buffer';
import { shortestFloat32 } from '../../../src/contract/float32.ts';
import { exact } from './plain.ts';

const widths = { int8: 1, uint8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, int64: 8, uint64: 8, float32: 4, float64: 8 } as const;
type NumberType = keyof typeof widths;
export const binaryTypes = [...(Object.keys(widths) as NumberType[]), 'boolean', 'text'] as const;

export interface BinaryPlace {
  /** Bytes from the beginning; below 0 from the end. */
  offset: number;
  type: (typeof binaryTypes)[number];
  order: 'big' | 'little';
  /** Bytes of a text; all that follow unless said. */
  length?: number | undefined;
  /** The bit of a boolean, 0 the least significant; any bit unless said. */
  bit?: number | undefined;
}

export function readBinary(payload: Buffer, { offset, type, order, length, bit }: BinaryPlace): number | bigint | boolean | string {
  const at = offset < 0 ? payload.length + offset : offset;
  const width = type === 'text' ? (length ?? Math.max(0, payload.length - at)) : type === 'boolean' ? 1 : widths[type];
  if (at < 0 || at + width > payload.length)
    throw new Error(`the payload has ${payload.length} bytes; ${type} at ${offset} needs ${width} there`);
  if (type === 'text') {
    const bytes = payload.subarray(at, at + width);
    const end = bytes.indexOf(0);
    const text = end < 0 ? bytes : bytes.subarray(0, end);
    if (!isUtf8(text)) throw new Error(`the text at byte ${offset} is not UTF-8`);
    return text.toString();
  }
  if (type === 'boolean') return bit === undefined ? payload.readUInt8(at) !== 0 : ((payload.readUInt8(at) >> bit) & 1) === 1;
  const view = new DataView(payload.buffer, payload.byteOffset + at, width);
  return readNumber(view, type, order === 'little');
}

function readNumber(view: DataView, type: NumberType, little: boolean): number | bigint {
  switch (type) {
    case 'int8':
      return view.getInt8(0);
    case 'uint8':
      return view.getUint8(0);
    case 'int16':
      return view.getInt16(0, little);
    case 'uint16':
      return view.getUint16(0, little);
    case 'int32':
      return view.getInt32(0, little);
    case 'uint32':
      return view.getUint32(0, little);
    case 'int64':
      return exact(view.getBigInt64(0, little));
    case 'uint64':
      return exact(view.getBigUint64(0, little));
    case 'float32':
      return shortestFloat32(view.getFloat32(0, little));
    case 'float64':
      return view.getFloat64(0, little);
  }
}
