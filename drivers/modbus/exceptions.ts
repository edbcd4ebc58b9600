/** What a device says instead of an answer (Application Protocol V1.1b3 §7). */

/** Set in the function code of such an answer. */
export const exceptionBit = 0x80;

/** Those that mean something to us beside their words. */
export const codes = {
  illegalFunction: 1,
  illegalAddress: 2,
  illegalValue: 3,
  acknowledge: 5,
  busy: 6,
  pathUnavailable: 10,
  targetSilent: 11,
} as const;

const names: Record<number, string> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  7: 'negative acknowledge',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
};

/** `exception 2: illegal data address`. */
export function exceptionText(code: number): string {
  return `exception ${code}: ${names[code] ?? 'not in the standard'}`;
}
