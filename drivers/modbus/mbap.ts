/** Frames of Modbus TCP (Messaging on TCP/IP Implementation Guide V1.0b §3.1): bytes only, no socket. */
import type { Frame } from './link.ts';

/** Transaction, protocol (0), length of what follows: two bytes each; then the unit and the PDU. */
const headerBytes = 6;
/** Unit and a PDU of at most 253 bytes (Application Protocol V1.1b3 §4.1); at least a function code, else it says nothing. */
const lengthMin = 2;
const lengthMax = 254;

/** The bytes are no Modbus TCP, or their boundary is lost: nothing that follows can be trusted. */
export class OutOfStep extends Error {}

/** The first frame and the bytes after it; undefined if more bytes are needed. Throws `OutOfStep`. */
export function takeFrame(bytes: Buffer): { frame: Frame; rest: Buffer } | undefined {
  if (bytes.length < headerBytes) return undefined;
  const protocol = bytes.readUInt16BE(2);
  const length = bytes.readUInt16BE(4);
  if (protocol !== 0 || length < lengthMin || length > lengthMax) {
    throw new OutOfStep(
      `the other end does not speak Modbus TCP: header ${bytes.toString('hex', 0, headerBytes)}, allowed are protocol 0 and length ${lengthMin} to ${lengthMax}`,
    );
  }
  const end = headerBytes + length;
  if (bytes.length < end) return undefined;
  return {
    frame: {
      transaction: bytes.readUInt16BE(0),
      unitId: bytes.readUInt8(headerBytes),
      pdu: bytes.subarray(headerBytes + 1, end),
      bytes: bytes.subarray(0, end),
    },
    rest: bytes.subarray(end),
  };
}

/** `unitAndPdu` is the unit followed by the PDU. */
export function makeFrame(transaction: number, unitAndPdu: Uint8Array): Buffer {
  const frame = Buffer.alloc(headerBytes + unitAndPdu.length);
  frame.writeUInt16BE(transaction, 0);
  frame.writeUInt16BE(unitAndPdu.length, 4);
  frame.set(unitAndPdu, headerBytes);
  return frame;
}
