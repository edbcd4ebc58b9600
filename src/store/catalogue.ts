import { LastSample } from '../contract/last.ts';
import { type ColumnKind, columnKinds, qualities, type Sample, type SeriesKey, type Value } from '../contract/sample.ts';
import type { Ends, SeriesRow } from './messages.ts';
import type { SeriesInfo } from './store.ts';
import type { Asked, WarmSeries } from './warm.ts';

/** One series as the main thread knows it. */
export interface SeriesRecord {
  readonly gateway: string;
  readonly key: SeriesKey;
  readonly kind: ColumnKind;
  /** Its number in the database; given when it is first written, again after the database was opened anew. */
  id: number | undefined;
  /** True once the database has its number. */
  stored: boolean;
  /** Absent until a sample came or its ends were loaded. */
  firstNs: bigint | undefined;
  last: LastSample | undefined;
  /** The earliest sample that came since a deletion began that is still under way. */
  sinceNs: bigint | undefined;
  /** Its place among the series of the batch of this number, which is being gathered. */
  batch: number;
  place: number;
  /** Samples that were asked for lately; absent if there are none or they are not known for sure. */
  warm: WarmSeries | undefined;
  /** The series whose sample came after its last one: in the next round it does so again. */
  follower: SeriesRecord | undefined;
  /** It is not in the catalogue any more. */
  gone: boolean;
  /** The last question to the reader; absent as soon as a sample comes. */
  asked: Asked | undefined;
}

/**
 * All series with their newest samples, so that the last values cost no trip to a worker. Main thread only; the database is asked for what
 * it knew before this process once per gateway.
 */
export class Catalogue {
  /** Gateway, device, point; one record a kind. */
  readonly #gateways = new Map<string, Map<string, Map<string, SeriesRecord[]>>>();
  readonly #byId = new Map<number, SeriesRecord>();
  readonly #seriesMax: number;
  /** Series that were refused, by gateway. */
  readonly #refused = new Map<string, { samples: number; last: SeriesKey }>();
  #count = 0;
  /** The one that was opened last. */
  #opened: SeriesRecord | undefined;
  #nextId = 1;
  /** Deletions under way. */
  #shortenings = 0;
  /** Gateways whose first and last samples have been taken from the database. */
  readonly loaded = new Set<string>();

  constructor(seriesMax: number) {
    this.#seriesMax = seriesMax;
  }

  get count(): number {
    return this.#count;
  }

  /** Samples of a gateway that would have made a series too many, and the last of them. */
  refused(gateway: string): { samples: number; last: SeriesKey } | undefined {
    return this.#refused.get(gateway);
  }

  /** The database was opened: its numbers hold, all others are given anew. */
  adopt(rows: readonly SeriesRow[]): void {
    for (const record of this.#all()) {
      record.id = undefined;
      record.stored = false;
    }
    this.#byId.clear();
    this.loaded.clear();
    this.#nextId = 1;
    for (const row of rows) {
      const kind = columnKinds[row.kind];
      // A kind of a later version: its samples stay where they are and are not shown.
      this.#nextId = Math.max(this.#nextId, row.id + 1);
      if (kind === undefined) continue;
      const record = this.#obtain(row.gateway, { device: row.device, point: row.point }, kind);
      record.id = row.id;
      record.stored = true;
      this.#byId.set(row.id, record);
    }
  }

  /** The series of a key and kind, made if it is new; undefined if there are too many. */
  open(gateway: string, key: SeriesKey, kind: ColumnKind): SeriesRecord | undefined {
    const before = this.#opened;
    const guess = before?.follower;
    const found = guess && isThat(guess, gateway, key, kind) ? guess : this.#lookFor(gateway, key, kind);
    if (before && found) before.follower = found;
    this.#opened = found;
    return found;
  }

  #lookFor(gateway: string, key: SeriesKey, kind: ColumnKind): SeriesRecord | undefined {
    for (const record of this.siblings(gateway, key)) if (record.kind === kind) return record;
    if (this.#count < this.#seriesMax) return this.#obtain(gateway, key, kind);
    this.#refused.set(gateway, { samples: (this.#refused.get(gateway)?.samples ?? 0) + 1, last: key });
    return undefined;
  }

  /** The series of one key, one a kind. */
  siblings(gateway: string, key: SeriesKey): readonly SeriesRecord[] {
    return this.#gateways.get(gateway)?.get(key.device)?.get(key.point) ?? [];
  }

  of(gateway: string): SeriesRecord[] {
    const devices = this.#gateways.get(gateway)?.values() ?? [];
    return [...devices].flatMap((points) => [...points.values()].flat());
  }

  byId(id: number): SeriesRecord | undefined {
    return this.#byId.get(id);
  }

  idOf(record: SeriesRecord): number {
    if (record.id === undefined) {
      record.id = this.#nextId++;
      this.#byId.set(record.id, record);
    }
    return record.id;
  }

  note(record: SeriesRecord, sample: Sample): void {
    if (this.#shortenings > 0 && (record.sinceNs === undefined || sample.timeNs < record.sinceNs)) record.sinceNs = sample.timeNs;
    if (record.firstNs === undefined || sample.timeNs < record.firstNs) record.firstNs = sample.timeNs;
    const { last } = record;
    if (!last) record.last = new LastSample(sample);
    else {
      const aheadNs = last.aheadOfNs(sample.timeNs);
      if (aheadNs < 0 || (aheadNs === 0 && last.arrivedAfterNs(sample.arrivalNs) <= 0)) last.put(sample);
    }
  }

  /** Takes in what the database has at both ends of series. */
  learn(ends: Ends): void {
    for (const [index, id] of ends.ids.entries()) {
      const record = this.#byId.get(id);
      const first = ends.firsts[index];
      const time = ends.lasts[index];
      if (!record || first === undefined || time === undefined) continue;
      if (record.firstNs === undefined || first < record.firstNs) record.firstNs = first;
      if (record.last && record.last.timeNs >= time) continue;
      record.last = new LastSample({
        timeNs: time,
        arrivalNs: ends.arrivals[index] ?? time,
        value: plainValue(record.kind, ends.values[index] ?? null),
        quality: qualities[ends.quality[index] ?? 2] ?? 'bad',
        reason: ends.reasons[index] ?? '',
      });
    }
  }

  /** Runs a deletion; what comes meanwhile is not deleted by it, and `shorten` knows of it. */
  async whileShortening<T>(run: () => Promise<T>): Promise<T> {
    // Where one runs already, what came since that one began stays known to both.
    if (this.#shortenings === 0) for (const record of this.#byId.values()) record.sinceNs = undefined;
    this.#shortenings += 1;
    try {
      return await run();
    } finally {
      this.#shortenings -= 1;
    }
  }

  /** Takes in what a deletion left; answers with the series that are gone: those that are empty and got nothing meanwhile. */
  shorten(ends: Ends, empty: readonly number[]): number[] {
    for (const [index, id] of ends.ids.entries()) {
      const record = this.#byId.get(id);
      const first = ends.firsts[index];
      if (!record || first === undefined) continue;
      record.firstNs = record.sinceNs !== undefined && record.sinceNs < first ? record.sinceNs : first;
    }
    return empty.filter((id) => {
      const record = this.#byId.get(id);
      if (!record) return false;
      if (record.sinceNs === undefined) this.#remove(record);
      else record.firstNs = record.sinceNs;
      return record.sinceNs === undefined;
    });
  }

  #remove(record: SeriesRecord): void {
    const devices = this.#gateways.get(record.gateway);
    const points = devices?.get(record.key.device);
    const others = points?.get(record.key.point)?.filter((other) => other !== record) ?? [];
    if (others.length > 0) points?.set(record.key.point, others);
    else points?.delete(record.key.point);
    if (points?.size === 0) devices?.delete(record.key.device);
    if (record.id !== undefined) this.#byId.delete(record.id);
    this.#count -= 1;
    record.gone = true;
    record.follower = undefined;
  }

  #obtain(gateway: string, key: SeriesKey, kind: ColumnKind): SeriesRecord {
    const found = this.siblings(gateway, key).find((record) => record.kind === kind);
    if (found) return found;
    const record: SeriesRecord = {
      gateway,
      key: { device: key.device, point: key.point },
      kind,
      id: undefined,
      stored: false,
      firstNs: undefined,
      last: undefined,
      sinceNs: undefined,
      batch: 0,
      place: 0,
      warm: undefined,
      asked: undefined,
      follower: undefined,
      gone: false,
    };
    const devices = this.#gateways.get(gateway) ?? new Map<string, Map<string, SeriesRecord[]>>();
    const points = devices.get(key.device) ?? new Map<string, SeriesRecord[]>();
    this.#gateways.set(gateway, devices.set(key.device, points.set(key.point, (points.get(key.point) ?? []).concat(record))));
    this.#count += 1;
    return record;
  }

  *#all(): Generator<SeriesRecord> {
    for (const devices of this.#gateways.values())
      for (const points of devices.values()) for (const records of points.values()) yield* records;
  }
}

function isThat(record: SeriesRecord, gateway: string, { device, point }: SeriesKey, kind: ColumnKind): boolean {
  const { key } = record;
  return key.point === point && key.device === device && record.kind === kind && record.gateway === gateway && !record.gone;
}

/** A record in the words of the interface. Only series that have a sample are shown. */
export function infoOf(record: SeriesRecord): SeriesInfo | undefined {
  const { key, kind, firstNs, last } = record;
  return firstNs === undefined || !last ? undefined : { device: key.device, point: key.point, kind, firstNs, lastNs: last.timeNs };
}

/** A stored value as the contract writes it: integers within 2^53 are numbers. */
function plainValue(kind: ColumnKind, stored: Ends['values'][number]): Value {
  if (stored === null) return null;
  switch (kind) {
    case 'boolean':
      return Number(stored) !== 0;
    case 'int64':
    case 'uint64': {
      const exact = kind === 'uint64' ? BigInt.asUintN(64, BigInt(stored)) : BigInt(stored);
      return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
    }
    default:
      return typeof stored === 'bigint' ? Number(stored) : stored;
  }
}
