/** The life of a sample: reading → value pipeline → what is known now → report rule → live viewers and store. */
import type { Clock } from '../contract/clock.ts';
import type { Point } from '../contract/device.ts';
import type { Reading } from '../contract/driver.ts';
import { messageOf } from '../contract/fault.ts';
import { LastSample } from '../contract/last.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Reason, Sample, TimeNs } from '../contract/sample.ts';
import { TooManySeries } from '../store/faults.ts';
import type { Store } from '../store/store.ts';
import type { LiveSample } from './gateway.ts';
import type { Hub } from './hub.ts';
import { kindOfValue } from './kinds.ts';
import type { PlacedDevice, PlacedPoint, Plant } from './plant.ts';
import { isWorthKeeping, Kept } from './report.ts';

/**
 * Reasons that do not prove that the device is there: nothing came, or nothing that can be trusted to be its. Exception 11 is said by a Modbus gateway
 * in front of it, which has waited for its answer in vain, and kept all others waiting.
 */
const silentReasons: ReadonlySet<Reason> = new Set<Reason>(['timeout', 'offline', 'stale', 'crc', 'exception-11']);

/** When readings came, on every clock that is asked. */
interface Moment {
  ns: TimeNs;
  ms: number;
  monotonicMs: number;
}

/** Samples of one turn of the event loop: handed on together. */
interface Turn {
  /** For the history. */
  samples: LiveSample[];
  /** For live viewers. */
  news: LiveSample[];
  /** If somebody waits for the commit: kept when they are committed or a bound of the history refuses them; broken when they are lost. */
  waiting?: PromiseWithResolvers<void>;
}

/** What those get whose samples are all known already. */
const nothingToCommit = Promise.resolve();

export class Intake {
  samples = 0;
  badSamples = 0;
  /** Samples the store refused or failed to commit. */
  dropped = 0;
  retentionMs = 0;
  readonly #key: string;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #plant: Plant;
  readonly #hub: Hub;
  readonly #watchers = new Map<PlacedPoint, Set<(sample: Sample) => void>>();
  /** Samples nobody waits for, by the commit they go with: the store has copied them, and there may be many for as long as its disk refuses. */
  readonly #offered = new Map<Promise<void>, number>();
  /** Those who wait for their commit. */
  readonly #insisting = new Set<(error: Error) => void>();
  readonly #ending = new AbortController();
  #turn: Turn | undefined;
  /** Samples that are held until their commit, because whoever sent them waits for it. */
  #held = 0;
  /** Since when the store refuses samples; undefined while it takes them. */
  #failingSinceMs: number | undefined;

  constructor(deps: { key: string; store: Store; clock: Clock; log: Log; plant: Plant; hub: Hub }) {
    this.#key = deps.key;
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#plant = deps.plant;
    this.#hub = deps.hub;
  }

  /** Takes the readings of one request, or what was heard. */
  take(readings: readonly Reading[]): void {
    this.#takeAll(readings, false);
  }

  /**
   * The same for whoever waits for the commit, which begins with the end of this turn of the loop. Resolves when they are committed, or refused by a
   * bound on series and counted; rejects when they are lost, by the end of the gateway at the latest. Calls of one turn get the same promise.
   */
  commit(readings: readonly Reading[]): Promise<void> {
    const turns = this.#takeAll(readings, true).flatMap(({ waiting }) => waiting?.promise ?? []);
    return turns.length > 1 ? Promise.all(turns).then(() => {}) : (turns[0] ?? nothingToCommit);
  }

  /** The turns with which they go to the history: one, unless they are very many. */
  #takeAll(readings: readonly Reading[], wait: boolean): Turn[] {
    const now = this.#now();
    const answered: PlacedDevice[] = [];
    let silent: Set<PlacedDevice> | undefined;
    const turns: Turn[] = [];
    let point: Point | undefined;
    let placed: PlacedPoint | undefined;
    for (const reading of readings) {
      // What comes together is often of one point.
      if (reading.point !== point) {
        point = reading.point;
        placed = this.#plant.point({ device: point.device, point: point.id });
      }
      // An answer to a question from before a change of settings.
      if (!placed) continue;
      const { device } = placed;
      // What is kept of a device that is known to be gone is old, however it looks.
      if (reading.retained && device.state === 'offline') continue;
      const turn = this.#takeOne(placed, reading, now, wait);
      if (turn && turn !== turns.at(-1)) turns.push(turn);
      if (reading.retained) continue;
      if (silentReasons.has(reading.reason)) silent = (silent ?? new Set()).add(device);
      else if (answered.at(-1) !== device) answered.push(device);
    }
    for (const device of answered) {
      this.#plant.answered(device);
      silent?.delete(device);
    }
    for (const device of silent ?? []) this.#plant.silent(device);
    return turns;
  }

  /** A bad sample for each point, for a reason that concerns all of them; at the given time, unless its last one is later. */
  fail(points: Iterable<PlacedPoint>, reason: Reason, detail: string, timeNs?: TimeNs): void {
    const now = this.#now();
    for (const placed of points) {
      const isLater = timeNs !== undefined && (!placed.last || placed.last.aheadOfNs(timeNs) <= 0);
      this.#takeOne(placed, { point: placed.point, value: null, reason, detail, ...(isLater ? { timeNs } : {}) }, now, false);
    }
  }

  /** Calls back with every sample of a point, kept or not, until the returned function is called. */
  watch(placed: PlacedPoint, see: (sample: Sample) => void): () => void {
    const watchers = this.#watchers.get(placed) ?? new Set();
    this.#watchers.set(placed, watchers.add(see));
    return () => {
      watchers.delete(see);
      if (watchers.size === 0) this.#watchers.delete(placed);
    };
  }

  /** The end. Resolves when everything taken so far is committed; where the disk refuses it is the store's, and whoever waits for it is told that it is not. */
  async close(): Promise<void> {
    this.#endTurn();
    const closed = new Error('the gateway is closed');
    this.#ending.abort(closed);
    await this.#store.flush().catch(() => {
      for (const giveUp of this.#insisting) giveUp(closed);
    });
  }

  /** The turn with which the sample goes to the history, if it does; it is waited for if `wait` says so. */
  #takeOne(placed: PlacedPoint, reading: Reading, now: Moment, wait: boolean): Turn | undefined {
    const sample = afterLast(placed.pipeline.sample(reading, now.ns, this.retentionMs), placed.last);
    if (placed.pipeline.kind === undefined) placed.kind = kindOfValue(sample.value) ?? placed.kind;
    this.#count(placed, reading, sample, now);
    if (placed.point.staleAfter !== undefined && !reading.retained && !silentReasons.has(reading.reason)) placed.heardMs = now.monotonicMs;
    if (reading.retained && isKnown(placed, reading, sample)) return undefined;
    const { only } = reading;
    if (only !== 'history') {
      // A device that sends its own times may send late what is not the latest.
      if (!placed.last) placed.last = new LastSample(sample);
      else if (reading.timeNs === undefined || placed.last.aheadOfNs(sample.timeNs) <= 0) placed.last.put(sample);
      if (this.#watchers.size > 0) for (const see of this.#watchers.get(placed) ?? []) see(sample);
    }
    if (only === undefined) {
      if (!isWorthKeeping(placed.point.report, placed.kept, sample, now.monotonicMs)) return undefined;
      if (placed.kept) placed.kept.putAt(sample, now.monotonicMs);
      else placed.kept = new Kept(sample, now.monotonicMs);
    }
    const turn = this.#beginTurn();
    if (wait) turn.waiting ??= Promise.withResolvers();
    const live = { key: placed.key, kind: placed.kind, point: placed.point, sample };
    if (only !== 'now') turn.samples.push(live);
    if (only !== 'history' && this.#hub.isHeard) turn.news.push(live);
    if (Math.max(turn.samples.length, turn.news.length) >= limits.turnSamplesMax) this.#endTurn();
    return turn;
  }

  #now(): Moment {
    const nowNs = this.#clock.nowNs();
    return { ns: nowNs, ms: Number(nowNs / 1_000_000n), monotonicMs: this.#clock.monotonicMs() };
  }

  #count(placed: PlacedPoint, reading: Reading, sample: Sample, now: Moment): void {
    this.samples += 1;
    placed.device.samples += 1;
    if (sample.quality === 'bad') {
      this.badSamples += 1;
      placed.device.badSamples += 1;
      placed.detail = reading.detail ?? sample.reason;
    } else {
      placed.detail = undefined;
      if (!reading.retained) placed.device.lastSeenMs = now.ms;
    }
  }

  #beginTurn(): Turn {
    if (this.#turn) return this.#turn;
    const turn: Turn = { samples: [], news: [] };
    this.#turn = turn;
    // When what the sockets brought by now is read: a timer would let a device that waits for its commit wait a millisecond more.
    setImmediate(() => {
      if (this.#turn === turn) this.#endTurn();
    });
    return turn;
  }

  #endTurn(): void {
    const turn = this.#turn;
    if (!turn) return;
    this.#turn = undefined;
    const { samples, news, waiting } = turn;
    this.#hub.publish(news);
    if (waiting) void this.#insist(samples).then(waiting.resolve, waiting.reject);
    else this.#offer(samples);
  }

  #offer(samples: readonly LiveSample[]): void {
    const committed = this.#store.append(this.#key, samples);
    const before = this.#offered.get(committed);
    this.#offered.set(committed, (before ?? 0) + samples.length);
    if (before !== undefined) return;
    const count = () => {
      const offered = this.#offered.get(committed) ?? 0;
      this.#offered.delete(committed);
      return offered;
    };
    committed.then(
      () => {
        count();
        this.#noteTaken();
      },
      (error: unknown) => {
        this.#noteRefused(error);
        this.dropped += Math.min(count(), refusedOf(error) ?? Number.POSITIVE_INFINITY);
      },
    );
  }

  /**
   * Samples whose sender waits to be told that they are kept are handed on again until they are: a history that takes no more for a while loses none of
   * them. A bound on series would refuse them for ever, so they count as dropped then.
   */
  async #insist(samples: readonly LiveSample[]): Promise<void> {
    this.#held += samples.length;
    try {
      for (;;) {
        try {
          await this.#appendNow(samples);
          this.#noteTaken();
          return;
        } catch (error) {
          this.#noteRefused(error);
          const refused = refusedOf(error);
          const mayWait = this.#held <= limits.intakeHeldMax && !this.#ending.signal.aborted;
          if (refused !== undefined || !mayWait) this.dropped += refused ?? samples.length;
          if (refused !== undefined) return;
          if (!mayWait) throw error;
        }
        await this.#clock.sleep(limits.intakeRetryMs, this.#ending.signal).catch(() => {});
      }
    } finally {
      this.#held -= samples.length;
    }
  }

  /** Rejects at the end of the gateway at the latest. */
  #appendNow(samples: readonly LiveSample[]): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#insisting.add(reject);
      this.#store
        .append(this.#key, samples, { now: true })
        .then(resolve, reject)
        .finally(() => this.#insisting.delete(reject));
    });
  }

  #noteTaken(): void {
    if (this.#failingSinceMs !== undefined)
      this.#log.info('samples are kept again', { afterMs: this.#clock.monotonicMs() - this.#failingSinceMs });
    this.#failingSinceMs = undefined;
  }

  /** Said once, counted always. */
  #noteRefused(error: unknown): void {
    if (this.#failingSinceMs === undefined) this.#log.error('the store refuses samples', { error: messageOf(error) });
    this.#failingSinceMs ??= this.#clock.monotonicMs();
  }
}

/** How many of what was appended the bound on series refused, the others being committed; undefined if that is not what is wrong. */
function refusedOf(error: unknown): number | undefined {
  return error instanceof TooManySeries ? error.refused.length : undefined;
}

/** One microsecond: a burst of a thousand stays within its millisecond. */
const nextNs = 1_000n;
/** Of devices' clocks and of ours. */
const tickNs = 1_000_000;
const burstSpreadMaxNs = limits.burstSpreadMaxMs * 1_000_000;

/**
 * Messages come faster than the clock ticks, but a series holds one sample a moment: a sample without a time of its own that would take the place
 * of the last one is put behind it, so that a burst is kept whole and in order. One with a time of its own, which is in whole milliseconds, is put behind
 * it where the last one was moved on within that millisecond: it would be taken for older.
 */
function afterLast(sample: Sample, last: LastSample | undefined): Sample {
  if (!last) return sample;
  const aheadNs = last.aheadOfNs(sample.timeNs);
  const isBehind = sample.timeNs === sample.arrivalNs ? aheadNs >= 0 && aheadNs <= burstSpreadMaxNs : aheadNs > 0 && aheadNs < tickNs;
  if (!isBehind) return sample;
  return { timeNs: last.timeNs + nextNs, arrivalNs: sample.arrivalNs, value: sample.value, quality: sample.quality, reason: sample.reason };
}

/** A retained value is what we know already: current, but no news. */
function isKnown(placed: PlacedPoint, reading: Reading, sample: Sample): boolean {
  const known = placed.last;
  return (
    known !== undefined &&
    known.value === sample.value &&
    known.reason === sample.reason &&
    // A time that was not believed is that of the arrival, and another one each time.
    (reading.timeNs === undefined || sample.reason === 'clock' || known.timeNs === sample.timeNs)
  );
}

/** The readings of points that a driver gives as its answer, and nothing else: whatever it is, the gateway must not stumble over it. */
export function areReadings(answer: unknown): answer is Reading[] {
  return Array.isArray(answer) && answer.every((reading: unknown) => typeof (reading as Reading | null)?.point?.id === 'string');
}

/** How often and when a far end that put us off is to be asked again; undefined if it did not. */
export function againOf(readings: readonly Reading[]): Reading['again'] {
  return readings.find((reading) => reading.again !== undefined)?.again;
}

/** True if any of the readings proves that somebody answered. */
export function saysSomething(readings: readonly Reading[]): boolean | undefined {
  return readings.length === 0 ? undefined : readings.some((reading) => !silentReasons.has(reading.reason));
}

export function pointsOf(plant: Plant, points: Iterable<Point>): PlacedPoint[] {
  return Array.from(points, (point) => plant.point({ device: point.device, point: point.id })).filter((placed) => placed !== undefined);
}
