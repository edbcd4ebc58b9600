/**
 * The exact sum of doubles, whatever their order: so the sum of a month is the same whether it is taken from chunks or from samples. The sum
 * is held as two doubles, which is enough for what devices send; what does not fit goes to a big integer of 2^-1074, the smallest double.
 */
export class ExactSum {
  high = 0;
  low = 0;
  #rest = 0n;

  /** Finite numbers only. */
  add(value: number): void {
    const { high, low } = this;
    // Knuth's TwoSum, three times: the rounding errors of additions are doubles too, and exact.
    const sum = high + value;
    const back = sum - high;
    const error = high - (sum - back) + (value - back);
    const small = low + error;
    const smallBack = small - low;
    const lost = low - (small - smallBack) + (error - smallBack);
    const total = sum + small;
    const totalBack = total - sum;
    const left = sum - (total - totalBack) + (small - totalBack);
    if (lost === 0 && left - left === 0) {
      this.high = total;
      this.low = left;
      return;
    }
    this.#addUnits(unitsOf(value));
  }

  /**
   * The values from place `from` to before `to`, none of which is further from 0 than `most`: as many times `add`, at a fifth of the price. Each is cut into
   * two numbers of about forty bits, all at the same places, so that their sums are exact; what does not fit into two is added one by one.
   */
  addAll(values: Float64Array, from: number, to: number, most: number): void {
    for (let at = from; at < to; at += addedAtOnce) {
      const end = Math.min(to, at + addedAtOnce);
      if (!this.#addCut(values, at, end, most)) for (let index = at; index < end; index++) this.add(values[index] as number);
    }
  }

  #addCut(values: Float64Array, from: number, to: number, most: number): boolean {
    const power = 2 ** Math.ceil(Math.log2(most));
    // A logarithm is rounded.
    const top = power < most ? 2 * power : power;
    // Adding and subtracting these rounds to a multiple of their last bit, of which 2^52 are more than `addedAtOnce` values come to.
    const upperCut = 1.5 * addedAtOnce * top;
    const lowerCut = upperCut * 2 ** -40;
    let upper = 0;
    let lower = 0;
    let lost = 0;
    for (let index = from; index < to; index++) {
      const value = values[index] as number;
      const high = value + upperCut - upperCut;
      const rest = value - high;
      const low = rest + lowerCut - lowerCut;
      upper += high;
      lower += low;
      lost += Math.abs(rest - low);
    }
    // NaN where a cut is beyond the largest double, or a value is none.
    if (lost !== 0) return false;
    this.add(upper);
    this.add(lower);
    return true;
  }

  /** Adds `value × factor` for a whole factor of at most 2^52. */
  addProduct(value: number, factor: number): void {
    const size = Math.abs(value);
    if (size !== 0 && (size > productMax || size < productMin)) {
      this.#addUnits(unitsOf(value) * BigInt(factor));
      return;
    }
    // Dekker's product: halves of 26 bits multiply without rounding, so the error of the product is a double too.
    const product = value * factor;
    const upper = upperHalf(value);
    const factorUpper = upperHalf(factor);
    const lower = value - upper;
    const factorLower = factor - factorUpper;
    this.add(product);
    this.add(lower * factorLower - (product - upper * factorUpper - lower * factorUpper - upper * factorLower));
  }

  #addUnits(units: bigint): void {
    this.#rest += unitsOf(this.high) + unitsOf(this.low) + units;
    this.high = 0;
    this.low = 0;
  }

  /** Whether `high` and `low` say it all. */
  get isShort(): boolean {
    return this.#rest === 0n;
  }

  /** Rounded once, to the nearest double. */
  value(): number {
    return this.#rest === 0n ? this.high : nearestDouble(this.#rest + unitsOf(this.high) + unitsOf(this.low));
  }

  /** The rounded sum over a whole number; also where the sum alone is beyond the largest double. */
  over(divisor: number | bigint): number {
    const sum = this.value();
    return Number.isFinite(sum)
      ? sum / Number(divisor)
      : nearestDouble((this.#rest + unitsOf(this.high) + unitsOf(this.low)) / BigInt(divisor));
  }

  /** Back to nothing. */
  clear(): void {
    this.high = 0;
    this.low = 0;
    this.#rest = 0n;
  }
}

/** A power of two. */
const addedAtOnce = 8_192;

/** Between these neither a product with 2^52 nor the error of one leaves the normal doubles. */
const productMax = 2 ** 900;
const productMin = 2 ** -900;

function upperHalf(value: number): number {
  const scaled = value * 134_217_729;
  return scaled - (scaled - value);
}

const view = new DataView(new ArrayBuffer(8));

/** How many times 2^-1074 a double is. */
function unitsOf(value: number): bigint {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const size = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n);
  return bits >> 63n === 0n ? size : -size;
}

function nearestDouble(units: bigint): number {
  const size = units < 0n ? -units : units;
  const bits = size.toString(16).length * 4;
  // 64 to 68 leading bits round as all of them do if a last one says that something follows.
  const shift = Math.max(0, bits - 68);
  const top = size >> BigInt(shift);
  const more = top << BigInt(shift) === size ? 0n : 1n;
  // In two steps: 2^(shift - 1074) alone may be no double.
  const scale = shift - 1074;
  const value = Number(shift === 0 ? top : top | more) * 2 ** Math.trunc(scale / 2) * 2 ** (scale - Math.trunc(scale / 2));
  return units < 0n ? -value : value;
}
