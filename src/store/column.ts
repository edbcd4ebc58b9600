import { type ColumnKind, type Columns, columnKinds, type Reason } from '../contract/sample.ts';
import type { StoredValue } from './scan.ts';

type Values = Columns['values'];

/** Columns of one series that grow as rows come, newest first, and are turned round at the end. */
export class ColumnBuilder {
  readonly kind: ColumnKind;
  length = 0;
  #times = new BigInt64Array(256);
  #quality = new Uint8Array(256);
  #valid = new Uint8Array(256);
  #values: Values;
  #reasons: Reason[] | undefined;

  constructor(kindIndex: number) {
    this.kind = columnKinds[kindIndex] ?? 'double';
    this.#values = emptyValues(this.kind, 256);
  }

  push(time: bigint, value: StoredValue, quality: number, reason: Reason | null): void {
    const at = this.length++;
    if (at === this.#times.length) this.#grow(at * 2);
    this.#times[at] = time;
    this.#quality[at] = quality;
    this.#valid[at] = value === null ? 0 : 1;
    const values = this.#values;
    if (Array.isArray(values)) values.push(value === null ? '' : String(value));
    else if (value !== null) {
      // The kind of a series and the type of its values agree: the writing side sees to it.
      if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[at] = value as bigint;
      else values[at] = Number(value);
    }
    if (reason !== null) this.#reasons ??= [];
    if (this.#reasons && reason !== null) this.#reasons[at] = reason;
  }

  /** The times so far, newest first. */
  times(): BigInt64Array {
    return this.#times.subarray(0, this.length);
  }

  /** The newest `keep` rows in order of time, in arrays of their own. */
  finish(keep: number): Columns {
    const reasons = this.#reasons;
    return {
      kind: this.kind,
      times: this.#times.slice(0, keep).reverse(),
      values: this.#values.slice(0, keep).reverse() as Values,
      valid: this.#valid.slice(0, keep).reverse(),
      quality: this.#quality.slice(0, keep).reverse(),
      ...(reasons ? { reasons: Array.from({ length: keep }, (_, index) => reasons[keep - 1 - index] ?? '') } : {}),
    };
  }

  #grow(size: number): void {
    this.#times = grown(this.#times, new BigInt64Array(size));
    this.#quality = grown(this.#quality, new Uint8Array(size));
    this.#valid = grown(this.#valid, new Uint8Array(size));
    const values = this.#values;
    if (values instanceof Float64Array) this.#values = grown(values, new Float64Array(size));
    else if (values instanceof BigInt64Array) this.#values = grown(values, new BigInt64Array(size));
    else if (values instanceof BigUint64Array) this.#values = grown(values, new BigUint64Array(size));
    else if (values instanceof Uint8Array) this.#values = grown(values, new Uint8Array(size));
  }
}

function emptyValues(kind: ColumnKind, size: number): Values {
  switch (kind) {
    case 'double':
      return new Float64Array(size);
    case 'int64':
      return new BigInt64Array(size);
    case 'uint64':
      // Storing an int64 here takes it modulo 2^64, which gives the bits back their meaning.
      return new BigUint64Array(size);
    case 'boolean':
      return new Uint8Array(size);
    case 'string':
      return [];
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Buffers of columns, to be transferred. */
export function buffersOf(columns: Columns): ArrayBuffer[] {
  const arrays = [columns.times, columns.valid, columns.quality, ...(Array.isArray(columns.values) ? [] : [columns.values])];
  return arrays.map((array) => array.buffer as ArrayBuffer);
}
