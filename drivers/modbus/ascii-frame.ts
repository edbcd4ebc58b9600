/**
 * Frames of Modbus ASCII (Modbus over Serial Line V1.02 §2.5.2): a colon, every byte as two hexadecimal digits, the checksum likewise, CR and LF.
 * Bytes only, no port. Some devices send small letters or leave the CR out; both are taken.
 */
import { begins, type Shape } from './answer-shape.ts';
import type { Framing } from './frame.ts';

const colon = 0x3a;
const lineFeed = 0x0a;
const lrcBytes = 1;
/** Colon, CR and LF. */
const fenceBytes = 3;

export const asciiFraming: Framing = {
  name: 'ASCII',
  encode(unitAndPdu) {
    const hex = Buffer.concat([unitAndPdu, Buffer.from([lrc(unitAndPdu)])]).toString('hex');
    return Buffer.from(`:${hex.toUpperCase()}\r\n`, 'latin1');
  },
  find: (bytes, shapes) =>
    frames(bytes)
      .find((frame) => fits(frame, shapes) && isWhole(frame))
      ?.subarray(0, -lrcBytes),
  isDamaged: (bytes, shapes) => frames(bytes).some((frame) => fits(frame, shapes) && !isWhole(frame)),
  whole(bytes) {
    const [only, second] = frames(bytes);
    return only && !second && isWhole(only) ? only.subarray(0, -lrcBytes) : undefined;
  },
  wireBytes: (unitAndPduBytes) => (unitAndPduBytes + lrcBytes) * 2 + fenceBytes,
  // Frames have a beginning and an end of their own; characters of one may be a second apart (§2.5.2.1), frames need no silence.
  silenceMs: () => 0,
};

/** What stands between a colon and the line feed after it, as bytes with the checksum at the end; what is no hexadecimal is left out. */
function frames(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, end + 1)) {
    const start = bytes.lastIndexOf(colon, end);
    if (start < 0) continue;
    const digits = bytes.toString('latin1', start + 1, end).replace(/\r$/, '');
    if (/^(?:[0-9A-Fa-f]{2}){3,256}$/.test(digits)) found.push(Buffer.from(digits, 'hex'));
  }
  return found;
}

function fits(frame: Buffer, shapes: readonly Shape[]): boolean {
  return shapes.some((shape) => frame.length === shape.bytes + lrcBytes && begins(frame, shape));
}

function isWhole(frame: Buffer): boolean {
  return lrc(frame.subarray(0, -lrcBytes)) === frame[frame.length - 1];
}

/** The two's complement of the sum (Annex §6.2.1). */
function lrc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}
