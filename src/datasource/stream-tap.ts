/**
 * The samples of one live channel, as they come. A tap opens before the history of its query is read and keeps what comes from then on, so
 * that nothing is lost between the history and the stream; what both have is told apart by its time. One bounded buffer serves all
 * its readers: who is slow loses the oldest.
 */
import { limits } from '../contract/limits.ts';
import { type ColumnKind, qualities } from '../contract/sample.ts';
import type { Gateway, LiveSample } from '../gateway/gateway.ts';
import type { ChannelSpec } from './channels.ts';
import { compileSelection, type Selection, selects } from './query-parse.ts';
import { identityOf, labelsOf, type Named, nameSeries } from './query-series.ts';

export interface SeriesId {
  device: string;
  point: string;
  kind: ColumnKind;
}

export class Tap {
  readonly gateway: Gateway;
  readonly spec: ChannelSpec;
  /** Samples that were not shown because the channel has its `limits.liveSeriesMax` series. */
  unshown = 0;
  /** Grows whenever the columns or what describes them change. */
  version = 0;

  readonly #selection: Selection;
  readonly #close: () => void;
  readonly #series = new Map<string, SeriesId>();
  #columns: Named[] | undefined;
  /** Whether a point is meant, as long as its settings are the same object. */
  readonly #meant = new Map<string, { point: LiveSample['point']; meant: boolean }>();
  readonly #waiting = new Set<() => void>();
  /** `#buffer[0]` has the number `#first`. */
  #buffer: LiveSample[] = [];
  #first = 0;
  /** By series, the times of the latest history answer that may be those of samples in the buffer. */
  #history = new Map<string, Set<bigint>>();
  /** Everything before this number was sent, to somebody. */
  #handed: number | undefined;

  constructor(gateway: Gateway, spec: ChannelSpec) {
    this.gateway = gateway;
    this.spec = spec;
    this.#selection = compileSelection(spec.query);
    this.#close = gateway.subscribe((samples) => this.#take(samples));
  }

  /** The columns of history and packets alike; the stream adds what appears later. */
  get columns(): Named[] {
    this.#columns ??= nameSeries([...this.#series.values()], this.gateway, this.spec.query.legend);
    return this.#columns;
  }

  know(series: readonly SeriesId[]): void {
    for (const one of series) this.#add(one);
  }

  /**
   * What the store has answered, by series (`identityOf`), ascending. Samples that came while it was asked are in its answer or not; only their times
   * tell. Those that come from now on are not.
   */
  historyAnswered(times: ReadonlyMap<string, BigInt64Array>): void {
    const oldest = new Map<string, bigint>();
    for (const { key, kind, sample } of this.#buffer) {
      const id = identityOf({ ...key, kind });
      const before = oldest.get(id);
      if (before === undefined || sample.timeNs < before) oldest.set(id, sample.timeNs);
    }
    this.#history.clear();
    for (const [id, sinceNs] of oldest) {
      const answered = times.get(id) ?? new BigInt64Array();
      let from = answered.length;
      while (from > 0 && (answered[from - 1] ?? 0n) >= sinceNs) from -= 1;
      this.#history.set(id, new Set(answered.subarray(from)));
    }
  }

  /** Where a stream begins to read: after what somebody got already, else with all that is here. */
  get start(): number {
    return this.#handed ?? this.#first;
  }

  get end(): number {
    return this.#first + this.#buffer.length;
  }

  /** Samples from a number on. `lost` of them were pushed out before. */
  read(from: number): { samples: LiveSample[]; lost: number; next: number } {
    const lost = Math.max(0, this.#first - from);
    const samples = this.#buffer
      .slice(Math.max(0, from - this.#first))
      .filter((sample) => !this.#isHistory(sample) || this.#handed !== undefined);
    return { samples, lost, next: this.end };
  }

  /** For one more viewer: what came after its history and before `to`, the number from which on it hears the stream. */
  missed(to: number): LiveSample[] {
    return this.#buffer
      .slice(0, Math.max(0, to - this.#first))
      .filter((sample) => !this.#isHistory(sample))
      .slice(-limits.liveCatchUpRowsMax);
  }

  handed(to: number): void {
    this.#handed = Math.max(this.#handed ?? 0, to);
  }

  /** Resolves when there is something after `from`, or when the columns changed; rejects when aborted. */
  more(from: number, version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.end > from || this.version !== version) return resolve();
      const done = (settle: () => void) => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', stop);
        settle();
      };
      const wake = () => done(resolve);
      const stop = () => done(() => reject(signal.reason));
      this.#waiting.add(wake);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  close(): void {
    this.#close();
  }

  #take(samples: readonly LiveSample[]): void {
    let taken = 0;
    for (const sample of samples) {
      if (!this.#isMeant(sample)) continue;
      if (!this.#add({ ...sample.key, kind: sample.kind })) {
        this.unshown += 1;
        continue;
      }
      this.#buffer.push(sample);
      taken += 1;
    }
    // Shifted in one go and rarely, so that a full buffer does not move with every sample.
    const excess = this.#buffer.length - limits.hubQueueMax;
    if (excess > limits.hubQueueMax / 4) {
      this.#buffer.splice(0, excess);
      this.#first += excess;
    }
    if (taken > 0) for (const wake of [...this.#waiting]) wake();
  }

  #isMeant({ key, point, sample }: LiveSample): boolean {
    const worst = { good: 0, usable: 1, all: 2 }[this.spec.query.quality];
    if (qualities.indexOf(sample.quality) > worst) return false;
    const name = `${key.device}\n${key.point}`;
    const before = this.#meant.get(name);
    if (before?.point === point) return before.meant;
    if (this.#meant.size >= limits.hubQueueMax) this.#meant.clear();
    const meant = selects(this.#selection, key, labelsOf(key, this.gateway));
    this.#meant.set(name, { point, meant });
    if (before && meant) this.#changed();
    return meant;
  }

  #add(series: SeriesId): boolean {
    const id = identityOf(series);
    if (this.#series.has(id)) return true;
    if (this.#series.size >= limits.liveSeriesMax) return false;
    this.#series.set(id, { device: series.device, point: series.point, kind: series.kind });
    this.#changed();
    return true;
  }

  #changed(): void {
    this.#columns = undefined;
    this.version += 1;
  }

  #isHistory({ key, kind, sample }: LiveSample): boolean {
    return this.#history.get(identityOf({ ...key, kind }))?.has(sample.timeNs) ?? false;
  }
}
