/** Frames of Modbus RTU (Modbus over Serial Line V1.02 §2.5.1): bytes only, no port. Their end is known from their beginning, not from silence. */
import crc16 from 'modbus-serial/utils/crc16.js';

const crcBytes = 2;
/** Unit, function with the highest bit set, exception code, checksum. */
const exceptionBytes = 5;
const exceptionBit = 0x80;

/** What an answer to a request looks like: how it begins, and how long it is. */
export interface Shape {
  prefix: Buffer;
  bytes: number;
}

/**
 * The good answer to a request, checksum included; `request` is unit and PDU. Everything that can be known before is in the prefix, so
 * that the answer to another request is not taken for it unless it is the same in every respect but its values.
 */
export function answerShape(request: Buffer): Shape {
  const functionCode = request.readUInt8(1);
  switch (functionCode) {
    case 1:
    case 2:
      return reading(request, Math.ceil(request.readUInt16BE(4) / 8));
    case 3:
    case 4:
      return reading(request, request.readUInt16BE(4) * 2);
    // The echo of place and value, or place and count (Application Protocol V1.1b3 §6.5, 6.6, 6.11, 6.12).
    case 5:
    case 6:
    case 15:
    case 16:
      return { prefix: request.subarray(0, 6), bytes: 6 + crcBytes };
    case 22:
      return { prefix: request.subarray(0, 8), bytes: 8 + crcBytes };
    default:
      throw new RangeError(`function ${functionCode} has no known answer`);
  }
}

function reading(request: Buffer, dataBytes: number): Shape {
  return { prefix: Buffer.from([request.readUInt8(0), request.readUInt8(1), dataBytes]), bytes: 3 + dataBytes + crcBytes };
}

/** A device's refusal of a request. */
export function exceptionShape(request: Buffer): Shape {
  return { prefix: Buffer.from([request.readUInt8(0), request.readUInt8(1) | exceptionBit]), bytes: exceptionBytes };
}

/** Unit and PDU of the first whole frame of one of these shapes, wherever it begins; noise before it is passed over. */
export function findFrame(bytes: Buffer, shapes: readonly Shape[]): Buffer | undefined {
  for (let start = 0; start < bytes.length; start++) {
    for (const shape of shapes) {
      const frame = bytes.subarray(start, start + shape.bytes);
      if (frame.length === shape.bytes && begins(frame, shape) && isWhole(frame)) return frame.subarray(0, -crcBytes);
    }
  }
  return undefined;
}

/** True if this is an answer of one of these shapes as far as can be seen, of full length, and with a wrong checksum. */
export function isDamaged(bytes: Buffer, shapes: readonly Shape[]): boolean {
  return shapes.some((shape) => bytes.length >= shape.bytes && begins(bytes, shape));
}

/** True if the checksum at the end is that of what comes before. */
export function isWhole(frame: Buffer): boolean {
  return frame.length > crcBytes && crc16(frame.subarray(0, -crcBytes)) === frame.readUInt16LE(frame.length - crcBytes);
}

export function withChecksum(unitAndPdu: Uint8Array): Buffer {
  const frame = Buffer.alloc(unitAndPdu.length + crcBytes);
  frame.set(unitAndPdu);
  frame.writeUInt16LE(crc16(unitAndPdu), unitAndPdu.length);
  return frame;
}

function begins(frame: Buffer, { prefix }: Shape): boolean {
  return frame.length >= prefix.length && prefix.equals(frame.subarray(0, prefix.length));
}

/**
 * Silence between two frames: 3.5 characters of 11 bits, and 1.75 ms above 19200 baud (§2.5.1.1). In whole milliseconds, one more, because
 * timers count no finer.
 */
export function silenceMs(baudRate: number): number {
  return Math.ceil(baudRate > 19_200 ? 1.75 : (3.5 * 11 * 1_000) / baudRate) + 1;
}
