/** Bytes as they stand in data sheets: `aa 55`, `AA55`. */
import * as z from 'zod';

/** `bytesMin` to `bytesMax` bytes, two digits each, blanks between them as one likes. The parsed value stays text, so that it can be drawn and compared. */
export function hexSchema(bytesMin: number, bytesMax: number) {
  const allowed = bytesMin === bytesMax ? (bytesMin === 1 ? 'one byte' : `${bytesMin} bytes`) : `${bytesMin} to ${bytesMax} bytes`;
  return z.string().refine((text) => {
    const digits = text.replaceAll(' ', '');
    return /^([0-9a-fA-F]{2})*$/.test(digits) && digits.length >= 2 * bytesMin && digits.length <= 2 * bytesMax;
  }, `is not in hexadecimal; allowed are ${allowed}, two digits each, such as "aa 55"`);
}

export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

/** `aa 55 01`, cut at 32 bytes, for people. */
export function hexText(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length > 32 ? `${shown} …` : shown;
}
