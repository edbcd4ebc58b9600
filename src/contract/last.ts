/**
 * What is remembered of the newest sample of a series. Numbers are written over in place, times as halves of 32 bits: an object, a bigint or a boxed number
 * of each sample would be young while what refers to it is old, and at 100,000 samples a second the garbage collector would follow all of those references
 * twenty times a second.
 */
import type { Quality, Reason, Sample, TimeNs, Value } from './sample.ts';

/** A value and what is said of it. */
export class LastValue {
  quality: Quality;
  reason: Reason;
  /** NaN at first, so that the engine makes it a place for doubles. */
  #number = Number.NaN;
  /** Undefined where the value is a number. */
  #other: Exclude<Value, number> | undefined;

  constructor({ value, quality, reason }: Pick<Sample, 'value' | 'quality' | 'reason'>) {
    this.quality = quality;
    this.reason = reason;
    this.value = value;
  }

  get value(): Value {
    return this.#other === undefined ? this.#number : this.#other;
  }

  set value(value: Value) {
    if (typeof value === 'number') {
      this.#number = value;
      this.#other = undefined;
    } else this.#other = value;
  }

  put({ value, quality, reason }: Sample): void {
    this.value = value;
    this.quality = quality;
    this.reason = reason;
  }
}

/** Of one bigint at a time: the halves are read before the next one is written. */
const scratch = new BigInt64Array(1);
const halves = new Int32Array(scratch.buffer);
const half = 2 ** 32;

export class LastSample extends LastValue {
  #timeLow = 0;
  #timeHigh = 0;
  #arrivalLow = 0;
  #arrivalHigh = 0;

  constructor(sample: Sample) {
    super(sample);
    this.#putTimes(sample);
  }

  get timeNs(): TimeNs {
    return join(this.#timeLow, this.#timeHigh);
  }

  get arrivalNs(): TimeNs {
    return join(this.#arrivalLow, this.#arrivalHigh);
  }

  override put(sample: Sample): void {
    super.put(sample);
    this.#putTimes(sample);
  }

  /** Nanoseconds from `timeNs` to the time of this one: exact within 2^53, and never of the wrong sign. */
  aheadOfNs(timeNs: TimeNs): number {
    scratch[0] = timeNs;
    return apart(this.#timeLow, this.#timeHigh);
  }

  /** Nanoseconds from `arrivalNs` to the arrival of this one, in the same way. */
  arrivedAfterNs(arrivalNs: TimeNs): number {
    scratch[0] = arrivalNs;
    return apart(this.#arrivalLow, this.#arrivalHigh);
  }

  /** An object of its own, as others may keep it. */
  copy(): Sample {
    return { timeNs: this.timeNs, arrivalNs: this.arrivalNs, value: this.value, quality: this.quality, reason: this.reason };
  }

  #putTimes({ timeNs, arrivalNs }: Sample): void {
    scratch[0] = timeNs;
    this.#timeLow = halves[0] as number;
    this.#timeHigh = halves[1] as number;
    scratch[0] = arrivalNs;
    this.#arrivalLow = halves[0] as number;
    this.#arrivalHigh = halves[1] as number;
  }
}

function join(low: number, high: number): TimeNs {
  halves[0] = low;
  halves[1] = high;
  return scratch[0] as TimeNs;
}

/** From what is in `scratch`. */
function apart(low: number, high: number): number {
  return (high - (halves[1] as number)) * half + ((low >>> 0) - ((halves[0] as number) >>> 0));
}
