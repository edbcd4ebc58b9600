/** What a device says instead of an answer (Application Protocol V1.1b3 §7). */
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
