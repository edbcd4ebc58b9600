/** JSON that keeps bigints and -0: commands carry values of devices, and those are exact. */

const bigintKey = '$bigint';

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return { [bigintKey]: String(part) };
    return Object.is(part, -0) ? { [bigintKey]: '-0' } : part;
  });
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Object.keys(part).length !== 1 || !(bigintKey in part)) return part;
    const digits = part[bigintKey];
    if (digits === '-0') return -0;
    return typeof digits === 'string' && /^-?\d+$/.test(digits) ? BigInt(digits) : part;
  });
}
