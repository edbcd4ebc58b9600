/** JSON without loss: `JSON.parse` makes a double of every number, and a double has no room for the last digits of 64 bits. */

type ReviveWithSource = (key: string, value: unknown, context: { source?: string }) => unknown;
/** TypeScript's declaration does not know the third argument yet (ECMAScript proposal "JSON.parse source text access", in V8). */
const parseWithSource = JSON.parse as (text: string, revive: ReviveWithSource) => unknown;

/** Cheaper than parsing with a reviver, and nearly no document has a run of digits this long. */
const longNumberPattern = /\d{16}/;
/** More digits are no integer of any device. */
const integerPattern = /^-?\d{1,40}$/;

/** Whether a whole number that was written out is to be a bigint; `double` is what is left of it otherwise. */
export type IsExact = (exact: bigint, double: number) => boolean;

/** Throws as `JSON.parse` does. A whole number beyond ±2^53, written without a point and an exponent, is a bigint unless `isExact` says otherwise. */
export function parseExactJson(text: string, isExact: IsExact = () => true): unknown {
  if (!longNumberPattern.test(text)) return JSON.parse(text);
  return parseWithSource(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined || !integerPattern.test(source)) return value;
    const exact = BigInt(source);
    return isExact(exact, value) ? exact : value;
  });
}

/** The way back: whole numbers of 64 bits are strings of digits, because most who read JSON make doubles of numbers. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
