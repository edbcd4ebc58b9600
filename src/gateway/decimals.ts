/** Decimal arithmetic on doubles: what a person gets on paper from `214 × 0.1`, not 21.400000000000002. */

/** Powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** A double carries 15 decimal digits through unharmed; numbers with more are binary fractions and stay what they are. */
const decimalsMax = 15;

/** Decimals in the shortest spelling of a number: 250 has 0, 0.1 has 1, 1e-7 has 7. */
export function decimalsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  const [mantissa = '', exponent = '0'] = String(Math.abs(value)).split('e');
  const dot = mantissa.indexOf('.');
  return Math.max(0, (dot < 0 ? 0 : mantissa.length - dot - 1) - Number(exponent));
}

/** Rounds half away from zero; a number too large to have that many decimals stays as it is. */
export function roundTo(value: number, decimals: number): number {
  const power = powers[decimals] ?? Number.POSITIVE_INFINITY;
  const shifted = value * power;
  if (!(Math.abs(shifted) < Number.MAX_SAFE_INTEGER)) return value;
  return (Math.sign(shifted) * Math.round(Math.abs(shifted))) / power;
}

/**
 * `raw × scale + offset`. Where raw, scale and offset are short decimals the sum is made in whole numbers and divided once, so the result
 * is the double nearest to the decimal result. Long binary fractions (a float32 as a double) take the plain way.
 */
export function linear(scale: number, offset: number): (raw: number) => number {
  if (scale === 1 && offset === 0) return (raw) => raw;
  const scaleDecimals = decimalsOf(scale);
  const offsetDecimals = decimalsOf(offset);
  const scaleWhole = Math.round(scale * (powers[scaleDecimals] ?? 1));
  return (raw) => {
    const plain = raw * scale + offset;
    const rawDecimals = decimalsOf(raw);
    const decimals = Math.max(rawDecimals + scaleDecimals, offsetDecimals);
    if (decimals > decimalsMax || !Number.isFinite(plain)) return plain;
    const power = powers[decimals] ?? 1;
    const product = Math.round(raw * (powers[rawDecimals] ?? 1)) * scaleWhole * (powers[decimals - rawDecimals - scaleDecimals] ?? 1);
    const shift = Math.round(offset * power);
    if (!Number.isSafeInteger(product) || !Number.isSafeInteger(shift) || !Number.isSafeInteger(product + shift)) return plain;
    return (product + shift) / power;
  };
}

/** The raw number that `linear` makes `value` of, free of the last digits' noise: 21.4 / 0.1 is 214, not 213.99999999999997. */
export function inverse(value: number, scale: number, offset: number): number {
  if (scale === 1 && offset === 0) return value;
  return Number(((value - offset) / scale).toPrecision(decimalsMax));
}
