/** Six decimal digits survive a 32-bit float whatever they are, nine tell any two apart (IEEE 754-2019 §5.12.2). */
const float32Digits = { sure: 6, most: 9 } as const;

/** Of the decimals that are this 32-bit float, the one with the fewest digits: 21.4 and not 21.399999618530273. */
export function shortestFloat32(value: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return value;
  for (let digits: number = float32Digits.sure; digits < float32Digits.most; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(float32Digits.most));
}
