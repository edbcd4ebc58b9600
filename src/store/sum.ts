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

  /** The values from place `from` to before `to`: as many times `add`, without its calls. */
  addAll(values: Float64Array, from: number, to: number): void {
    let { high, low } = this;
    for (let index = from; index < to; index++) {
      const value = values[index] as number;
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
        high = total;
        low = left;
        continue;
      }
      this.high = high;
      this.low = low;
      this.#addUnits(unitsOf(value));
      high = this.high;
      low = this.low;
    }
    this.high = high;
    this.low = low;
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
