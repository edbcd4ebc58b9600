/** What the answer to a request looks like before it has come: a serial line's frames carry neither length nor number to tell. Bytes only. */
import { exceptionBit } from './exceptions.ts';

export interface Shape {
  /** How unit and PDU begin. */
  prefix: Buffer;
  /** How long unit and PDU are together. */
  bytes: number;
}

/**
 * The good answer to a request; `request` is unit and PDU. Everything that can be known before is in the prefix, so that the answer to another
 * request is not taken for it unless it is the same in every respect but its values.
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
      return { prefix: request.subarray(0, 6), bytes: 6 };
    case 22:
      return { prefix: request.subarray(0, 8), bytes: 8 };
    default:
      throw new RangeError(`function ${functionCode} has no known answer`);
  }
}

function reading(request: Buffer, dataBytes: number): Shape {
  return { prefix: Buffer.from([request.readUInt8(0), request.readUInt8(1), dataBytes]), bytes: 3 + dataBytes };
}

/** A device's refusal of a request: unit, function with the highest bit set, exception code. */
export function exceptionShape(request: Buffer): Shape {
  return { prefix: Buffer.from([request.readUInt8(0), request.readUInt8(1) | exceptionBit]), bytes: 3 };
}

export function begins(unitAndPdu: Buffer, { prefix }: Shape): boolean {
  return unitAndPdu.length >= prefix.length && prefix.equals(unitAndPdu.subarray(0, prefix.length));
}
