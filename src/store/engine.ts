import type { Worker } from 'node:worker_threads';
import type { Clock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { faultOf, storageBusy, storageClosed, storageFailed, storageWaiting } from './faults.ts';
import { Keeper } from './keeper.ts';
import type { CallOptions } from './link.ts';
import { type CallName, type Calls, type Durability, type Role, StoreTrouble, type WorkerSettings } from './messages.ts';
import type { StoreStatus } from './store.ts';

export interface EngineOptions {
  folder: string | undefined;
  clock: Clock;
  log: Log;
  durability: Durability;
  spawn: (workerData: unknown) => Worker;
  /** The database is open, with these series; again after every new start of the writer. */
  onOpen: (opened: Extract<Calls['open']['answer'], { series: unknown }>) => void;
  /** Commits are possible, or not any more. */
  onWritable: (writable: boolean) => void;
}

/** The two workers of a history: one writes, one reads (in memory one does both). Knows whether they can be used, and waits for them. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #writer: Keeper;
  readonly #reader: Keeper;
  readonly #openedMs: number;
  /** Calls that wait for a worker. */
  readonly #waiting = new Set<() => void>();
  #reads = 0;
  /** The reader was started although the writer cannot open: what is there is served. */
  #alone = false;
  #damaged: string | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    const { folder, clock, log, spawn, durability } = options;
    this.#openedMs = clock.monotonicMs();
    const start = (role: Role) => () => spawn({ role, durability, ...(folder === undefined ? {} : { folder }) } satisfies WorkerSettings);
    this.#writer = new Keeper({
      name: 'writer',
      spawn: start(folder === undefined ? 'memory' : 'writer'),
      clock,
      log,
      tells: () => true,
      onOpen: (opened) => {
        if (opened.damaged !== undefined) {
          log.error('the history is damaged, it is set aside and a new one begun', { file: opened.damaged });
          this.#damaged = `the history was damaged; it is kept as ${opened.damaged} and a new one was begun`;
        }
        options.onOpen(opened);
      },
      onDamage: (what) => this.#noteDamage(what),
      onHeld: () => this.#wake(),
      onUp: () => {
        options.onWritable(true);
        if (folder !== undefined) void this.#startReader();
        this.#wake();
      },
      onDown: (gone) => {
        options.onWritable(false);
        // Without the writer's lock the folder may be another process's by now: the reader lets go of it too.
        if (gone && folder !== undefined) void this.#reader.stop();
        // A folder that cannot be written can be read all the same.
        if (!gone && folder !== undefined && this.#reader.state === 'opening' && !this.#reader.link) {
          this.#alone = true;
          this.#reader.start();
        }
        this.#wake();
      },
    });
    this.#reader =
      folder === undefined
        ? this.#writer
        : new Keeper({
            name: 'reader',
            spawn: start('reader'),
            clock,
            log,
            // Beside a writer the series are its to tell.
            tells: () => this.#alone,
            onOpen: (opened) => {
              if (this.#alone) options.onOpen(opened);
            },
            onDamage: (what) => this.#noteDamage(what),
            onHeld: () => this.#wake(),
            onUp: () => this.#wake(),
            onDown: () => this.#wake(),
          });
    this.#writer.start();
  }

  get restarts(): number {
    return this.#writer.restarts + (this.#reader === this.#writer ? 0 : this.#reader.restarts);
  }

  get mode(): StoreStatus['mode'] {
    if (this.#writer.state === 'held') return 'waiting';
    if (this.#writer.state === 'down' || this.#reader.state === 'down') return 'failed';
    return this.#options.folder === undefined ? 'memory' : 'disk';
  }

  get detail(): string | undefined {
    const detail = this.#writer.detail || this.#reader.detail || this.#damaged;
    if (detail !== undefined || this.#options.folder !== undefined) return detail;
    return 'there is no data folder: history is in memory and gone at a restart';
  }

  /** How writing failed, in words, as long as nothing has been written since: a disk that has room for a probe may have none for a batch. */
  get trouble(): string | undefined {
    return this.#writer.trouble;
  }

  /** Whether a commit would be tried now. */
  get isWritable(): boolean {
    return this.#writer.state === 'up';
  }

  /** Resolves when the writer can be called; rejects with a `Fault` if it cannot, or not soon. */
  writable(): Promise<void> {
    return this.#usable(this.#writer);
  }

  /** The same for reading. */
  readable(): Promise<void> {
    return this.#usable(this.#reader);
  }

  async write<K extends CallName>(name: K, ask: Calls[K]['ask']): Promise<Calls[K]['answer']> {
    try {
      const answer = await call(this.#writer, name, ask, {});
      this.#writer.wentWell();
      return answer;
    } catch (error) {
      this.#writer.report(error);
      throw faultOf(error);
    }
  }

  /** `late` is given an answer that comes after the signal was aborted. */
  async read<K extends CallName>(
    name: K,
    ask: Calls[K]['ask'],
    signal?: AbortSignal,
    late?: (answer: Calls[K]['answer']) => void,
  ): Promise<Calls[K]['answer']> {
    if (this.#reads >= limits.storeReadsMax) throw storageBusy(`${limits.storeReadsMax} reads wait already`);
    this.#reads += 1;
    try {
      await this.#usable(this.#reader, signal);
      const answer = await call(this.#reader, name, ask, { ...(signal ? { signal } : {}), ...(late ? { late } : {}) });
      this.#reader.wentWell();
      return answer;
    } catch (error) {
      // A page that cannot be read costs this answer; the file is set aside only when it cannot be written any more.
      if (error instanceof StoreTrouble && error.kind === 'damaged') this.#noteDamage(error.message);
      else this.#reader.report(error);
      throw faultOf(error);
    } finally {
      this.#reads -= 1;
    }
  }

  /** Memory that came with an answer on loan. */
  giveBack(slabs: SharedArrayBuffer[]): void {
    // To a reader that is not there it is lost, which costs nothing.
    call(this.#reader, 'giveBack', { slabs }, {}).catch(() => {});
  }

  async close(endMs: number): Promise<void> {
    const leftMs = () => Math.max(50, endMs - this.#options.clock.monotonicMs());
    // The reader first: the last connection to close takes the log into the file, and one that only reads cannot.
    if (this.#reader !== this.#writer) await this.#reader.close(leftMs());
    await this.#writer.close(leftMs());
    this.#wake();
  }

  /** One that was opened without a writer may look at the file as if nobody wrote it: it is opened anew. */
  async #startReader(): Promise<void> {
    if (this.#alone) await this.#reader.stop();
    this.#alone = false;
    this.#reader.start();
  }

  async #usable(keeper: Keeper, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // A predecessor that is about to end is waited for at the beginning; later on its folder is simply another's.
    const heldUntilMs = this.#openedMs + limits.storeOpenWaitMs;
    const openUntilMs = clock.monotonicMs() + limits.storeSlowOpenMs;
    while (keeper.state !== 'up') {
      signal?.throwIfAborted();
      if (keeper.state === 'closed') throw storageClosed();
      if (keeper.state === 'down') throw storageFailed(keeper.detail);
      // A reader has not even begun while its writer waits for the folder.
      const held = this.#writer.state === 'held';
      if (this.#writer.state === 'down' && !keeper.link && !(this.#alone && keeper === this.#reader))
        throw storageFailed(this.#writer.detail);
      const leftMs = (held ? heldUntilMs : openUntilMs) - clock.monotonicMs();
      if (leftMs <= 0) throw held ? storageWaiting(this.#writer.detail) : storageFailed('it takes very long to open');
      await this.#change(leftMs, signal);
    }
  }

  /** Resolves when the state of a worker changed, after `withinMs` at the latest, or when the signal is aborted. */
  #change(withinMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.clock.after(withinMs, done);
      this.#waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #noteDamage(what: string): void {
    this.#options.log.error('part of the history cannot be read and is left out', { part: what });
    this.#damaged ??= `part of the history cannot be read and is left out: ${what}`;
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}

function call<K extends CallName>(keeper: Keeper, name: K, ask: Calls[K]['ask'], options: CallOptions<K>): Promise<Calls[K]['answer']> {
  return keeper.link?.call(name, ask, options) ?? Promise.reject(new StoreTrouble('disk', 'the worker of the store is not running'));
}
