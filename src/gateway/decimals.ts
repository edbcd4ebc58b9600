/** Decimal arithmetic on doubles: what a person gets on paper from `214 × 0.1`, not 21.400000000000002. */

/** Powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** A double carries 15 decimal digits through unharmed; numbers with more are binary fractions and stay what they are. */
const decimalsMax = 15;

/** More decimals than a double of any use has; `toFixed` takes up to 100. */
const binaryDecimals = 80;

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
 * is the double nearest to the decimal result; so it is for every whole raw number, however long. Other long fractions take the plain way.
 */
export function linear(scale: number, offset: number): (raw: number | bigint) => number {
  if (scale === 1 && offset === 0) return Number;
  const scaleDecimals = decimalsOf(scale);
  const offsetDecimals = decimalsOf(offset);
  const scaleWhole = Math.round(scale * (powers[scaleDecimals] ?? 1));
  return (raw) => {
    if (typeof raw === 'bigint') return nearest(plus(times({ whole: raw, decimals: 0 }, decimal(scale)), decimal(offset)));
    const plain = raw * scale + offset;
    const rawDecimals = decimalsOf(raw);
    const decimals = Math.max(rawDecimals + scaleDecimals, offsetDecimals);
    if (!Number.isFinite(plain)) return plain;
    const power = powers[decimals] ?? 1;
    const product = Math.round(raw * (powers[rawDecimals] ?? 1)) * scaleWhole * (powers[decimals - rawDecimals - scaleDecimals] ?? 1);
    const shift = Math.round(offset * power);
    const fits = Number.isSafeInteger(product) && Number.isSafeInteger(shift) && Number.isSafeInteger(product + shift);
    if (decimals <= decimalsMax && fits) return (product + shift) / power;
    return Number.isInteger(raw) ? nearest(plus(times(decimal(raw), decimal(scale)), decimal(offset))) : plain;
  };
}

/** `whole / 10^decimals`. */
interface Decimal {
  whole: bigint;
  decimals: number;
}

/** A number as it is spelt, which is what a person means by it: 0.1 is a tenth. */
function decimal(value: number | bigint | string): Decimal {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [front = '0', back = ''] = mantissa.split('.');
  const decimals = back.length - Number(exponent);
  const whole = BigInt(front + back);
  return decimals >= 0 ? { whole, decimals } : { whole: whole * 10n ** BigInt(-decimals), decimals: 0 };
}

/** A number that needs more digits than a double carries is no decimal somebody wrote: then all the digits of its binary fraction count. */
function decimalInFull(value: number | bigint): Decimal {
  if (typeof value === 'bigint' || String(value).replace(/e.*|^-?0*\.?0*|[.-]/g, '').length <= decimalsMax) return decimal(value);
  return decimal(Number.isInteger(value) ? BigInt(value) : value.toFixed(binaryDecimals));
}

function times(a: Decimal, b: Decimal): Decimal {
  return { whole: a.whole * b.whole, decimals: a.decimals + b.decimals };
}

function plus(a: Decimal, b: Decimal): Decimal {
  const decimals = Math.max(a.decimals, b.decimals);
  return { whole: a.whole * 10n ** BigInt(decimals - a.decimals) + b.whole * 10n ** BigInt(decimals - b.decimals), decimals };
}

function nearest({ whole, decimals }: Decimal): number {
  return Number(`${whole}e-${decimals}`);
}

/** The raw number that `linear` makes `value` of; where a short one does, that: 21.4 / 0.1 is 214, not 213.99999999999997. */
export function inverse(value: number, scale: number, offset: number): number {
  if (scale === 1 && offset === 0) return value;
  const plain = (value - offset) / scale;
  const short = Number(plain.toPrecision(decimalsMax));
  return linear(scale, offset)(short) === value ? short : plain;
}

/** The whole raw number nearest to what `linear` makes `value` of; halves go away from zero. All digits count. */
export function inverseWhole(value: number | bigint, scale: number, offset: number): bigint {
  const shifted = plus(decimalInFull(value), times(decimal(offset), { whole: -1n, decimals: 0 }));
  const divisor = decimal(scale);
  const over = shifted.whole * 10n ** BigInt(divisor.decimals);
  const under = divisor.whole * 10n ** BigInt(shifted.decimals);
  const [top, bottom] = under < 0n ? [-over, -under] : [over, under];
  const rounded = ((top < 0n ? -top : top) * 2n + bottom) / (2n * bottom);
  return top < 0n ? -rounded : rounded;
}
