/** Lines that the device says by itself → readings of the points that listen. */
import type { Point } from '../../src/contract/device.ts';
import type { Sink } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Log } from '../../src/contract/log.ts';
import type { Pattern } from '../../src/contract/pattern.ts';
import { type Address, patternOf } from './address.ts';
import { parseValue, quote } from './value.ts';

type SerialPoint = Point<Address>;

/** Points that share an expression; it runs once a line. */
interface Ear {
  pattern: Pattern;
  points: SerialPoint[];
  /** Lines heard while it has never fitted; undefined once it has. */
  misses: number | undefined;
}

/** Lines without a fit before a point says that it waits in vain: a device may say several kinds of lines. */
const missesMax = 20;

export class Listening {
  readonly #ears: Ear[];
  readonly #sink: Sink<Address>;
  readonly #log: Log;
  /** Samples that are not committed yet. */
  #open = 0;
  #dropped = 0;

  constructor(points: readonly SerialPoint[], sink: Sink<Address>, log: Log) {
    const ears = new Map<string, Ear>();
    for (const point of points) {
      const text = point.address.line;
      if (text === undefined) continue;
      const ear = ears.get(text);
      if (ear) ear.points.push(point);
      else ears.set(text, { pattern: patternOf(point.address), points: [point], misses: 0 });
    }
    this.#ears = [...ears.values()];
    this.#sink = sink;
    this.#log = log;
  }

  hear(line: string): void {
    for (const ear of this.#ears) {
      const groups = ear.pattern.find(line);
      if (groups) this.#heard(ear, groups);
      else this.#missed(ear, line);
    }
  }

  #heard(ear: Ear, groups: Record<string, string | undefined>): void {
    if (ear.misses !== undefined && ear.misses >= missesMax) for (const point of ear.points) this.#sink.trouble(point, undefined);
    ear.misses = undefined;
    for (const point of ear.points) this.#say(point, groups);
  }

  #missed(ear: Ear, line: string): void {
    if (ear.misses === undefined) return;
    ear.misses += 1;
    if (ear.misses !== missesMax) return;
    for (const point of ear.points)
      this.#sink.trouble(point, `none of the ${missesMax} lines heard so far fits its expression; the last was ${quote(line)}`);
  }

  #say(point: SerialPoint, groups: Record<string, string | undefined>): void {
    if (this.#open >= limits.serialBacklogMax) {
      this.#dropped += 1;
      if (this.#dropped === 1) this.#log.warn('lines come faster than they can be kept; samples are dropped', { waiting: this.#open });
      return;
    }
    this.#open += 1;
    void this.#sink.sample({ point, ...parseValue(groups[point.address.field ?? ''], point.address.type) }).finally(() => {
      this.#open -= 1;
      if (this.#open > 0 || this.#dropped === 0) return;
      this.#log.warn('samples are kept again', { dropped: this.#dropped });
      this.#dropped = 0;
    });
  }
}
