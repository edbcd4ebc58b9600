/** Tables of a Modbus device (Application Protocol V1.1b3 §4.3) and the reference numbers manuals use for them. */

export const tables = ['coil', 'discrete', 'input', 'holding'] as const;
export type Table = (typeof tables)[number];

/** Whether it holds bits; the others hold registers. */
export function isBits(table: Table): boolean {
  return table === 'coil' || table === 'discrete';
}

/** The others can only be read. */
export function isWritable(table: Table): boolean {
  return table === 'coil' || table === 'holding';
}

const byDigit: Record<string, Table> = { '0': 'coil', '1': 'discrete', '3': 'input', '4': 'holding' };

/**
 * `40021` or `400021` → holding register 20; `'00004'` or `4` → coil 3. Five digits reach register 9999, six all of them.
 * A number has no leading zeros, so up to four digits are a coil. Undefined if it is no reference.
 */
export function parseReference(reference: number | string): { table: Table; register: number } | undefined {
  const digits = String(reference).padStart(typeof reference === 'number' ? 5 : 0, '0');
  if (!/^\d{5,6}$/.test(digits)) return undefined;
  const table = byDigit[digits.charAt(0)];
  const register = Number(digits.slice(1)) - 1;
  return table === undefined || register < 0 || register > 65_535 ? undefined : { table, register };
}
