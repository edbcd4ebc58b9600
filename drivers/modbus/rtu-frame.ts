/** Frames of Modbus RTU (Modbus over Serial Line V1.02 §2.5.1): bytes only, no port. Their end is known from their beginning, not from silence. */
import { begins, type Shape } from './answer-shape.ts';
import { crc16 } from './crc16.ts';
import type { Framing } from './frame.ts';

const crcBytes = 2;

export const rtuFraming: Framing = {
  name: 'RTU',
  encode(unitAndPdu) {
    const frame = Buffer.alloc(unitAndPdu.length + crcBytes);
    frame.set(unitAndPdu);
    frame.writeUInt16LE(crc16(unitAndPdu), unitAndPdu.length);
    return frame;
  },
  find: findFrame,
  isDamaged: (bytes, shapes) => shapes.some((shape) => bytes.length >= shape.bytes + crcBytes && begins(bytes, shape)),
  whole: (bytes) => (isWhole(bytes) ? bytes.subarray(0, -crcBytes) : undefined),
  wireBytes: (unitAndPduBytes) => unitAndPduBytes + crcBytes,
  silenceMs,
};

export function findFrame(bytes: Buffer, shapes: readonly Shape[]): Buffer | undefined {
  for (let start = 0; start < bytes.length; start++) {
    for (const shape of shapes) {
      const frame = bytes.subarray(start, start + shape.bytes + crcBytes);
      if (frame.length === shape.bytes + crcBytes && begins(frame, shape) && isWhole(frame)) return frame.subarray(0, -crcBytes);
    }
  }
  return undefined;
}

/** True if the checksum at the end is that of what comes before. */
export function isWhole(frame: Buffer): boolean {
  return frame.length > crcBytes && crc16(frame.subarray(0, -crcBytes)) === frame.readUInt16LE(frame.length - crcBytes);
}

/** Milliseconds of silence between two frames: 3.5 characters of 11 bits, and 1.75 ms above 19200 baud (§2.5.1.1). */
export function silenceMs(baudRate: number): number {
  return baudRate > 19_200 ? 1.75 : (3.5 * 11 * 1_000) / baudRate;
}
