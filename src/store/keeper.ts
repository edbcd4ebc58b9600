import type { Worker } from 'node:worker_threads';
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import { createLink, type Link } from './link.ts';
import { type Calls, StoreTrouble } from './messages.ts';

/** `held`: another process has the folder. `down`: it failed and is tried again with back-off. */
export type KeeperState = 'opening' | 'up' | 'held' | 'down' | 'closed';

type Opened = Extract<Calls['open']['answer'], { series: unknown }>;

export interface KeeperOptions {
  name: string;
  spawn: () => Worker;
  clock: Clock;
  log: Log;
  /** Whether the series are wanted that the database has; else there are none in what is opened. */
  tells: () => boolean;
  /** The worker has opened the database; again after each new start. */
  onOpen: (opened: Opened) => void;
  /** Another process has the folder: whoever waits for the opening has less to hope for. */
  onHeld: () => void;
  /** It can be called again: after opening, or after a probe went well. */
  onUp: () => void;
  /** It cannot be called for now; `gone` says that the worker ended, and with it what it had open. */
  onDown: (gone: boolean) => void;
  /** A part of the history cannot be read. */
  onDamage: (what: string) => void;
}

/** Keeps one worker running: starts it, opens, waits for the folder, tries again with back-off after a failure, starts a new one after a crash. */
export class Keeper {
  readonly #options: KeeperOptions;
  #state: KeeperState = 'opening';
  #detail = '';
  #link: Link | undefined;
  #wanted = false;
  #opened = false;
  #setAside = false;
  #backoffMs: number = limits.backoffFirstMs;
  #trouble: string | undefined;
  #cancelRetry = () => {};
  #attempt: Promise<void> = Promise.resolve();
  restarts = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get state(): KeeperState {
    return this.#state;
  }

  /** In words, when it is not up. */
  get detail(): string {
    return this.#detail;
  }

  /** How it failed, in words, as long as nothing has gone well since. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  start(): void {
    if (this.#state === 'closed' || this.#link) return;
    this.#wanted = true;
    this.#cancelRetry();
    this.#again();
  }

  /** Tells of a call that failed. A medium that refuses takes the keeper down until a probe goes well; a bug in one call does not. A file that
   * is no database any more is set aside by a new worker. */
  report(error: unknown): void {
    if (!(error instanceof StoreTrouble) || this.#state !== 'up') return;
    if (error.kind === 'damaged') void this.#renew(error);
    else if (error.kind === 'disk') this.#goDown(error);
  }

  /** Tells of a call that went well: only that proves that the trouble is over, a probe may find room where a batch does not. */
  wentWell(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#backoffMs = limits.backoffFirstMs;
    this.#options.log.info('history works again', { worker: this.#options.name });
  }

  /** Ends the worker without starting another one; `start` may be called again. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#cancelRetry();
    const link = this.#link;
    this.#link = undefined;
    this.#opened = false;
    if (this.#state !== 'closed') this.#state = 'opening';
    await link?.end();
  }

  /** Closes the database, then ends the worker; a worker that does not answer in time is ended all the same. */
  async close(withinMs: number): Promise<void> {
    this.#state = 'closed';
    this.#cancelRetry();
    const link = this.#link;
    if (link) {
      const stopWaiting = new AbortController();
      await Promise.race([
        link.call('close', null).catch(() => {}),
        this.#options.clock.sleep(withinMs, stopWaiting.signal).catch(() => {}),
      ]);
      stopWaiting.abort();
    }
    await this.stop();
    await this.#attempt;
  }

  async #try(): Promise<void> {
    const { clock, log, tells } = this.#options;
    if (!this.#wanted) return;
    let link = this.#link;
    try {
      link ??= createLink(this.#options.spawn(), (error) => this.#crashed(error), this.#options.onDamage);
      this.#link = link;
      if (this.#opened) await link.call('probe', null);
      else {
        const answer = await link.call('open', { nowMs: clock.nowMs(), setAside: this.#setAside, tells: tells() });
        if (this.#link !== link) return;
        if ('holder' in answer) {
          const isNews = this.#state !== 'held';
          this.#state = 'held';
          this.#detail = `the data folder is held by ${answer.holder}`;
          if (isNews) {
            log.warn('the data folder is in use, waiting for it', { holder: answer.holder });
            this.#options.onHeld();
          }
          this.#cancelRetry = clock.after(limits.folderRetryMs, () => this.#again());
          return;
        }
        this.#opened = true;
        this.#setAside = false;
        this.#options.onOpen(answer);
      }
      if (this.#link !== link || this.#state === 'closed') return;
      this.#state = 'up';
      this.#detail = '';
      this.#options.onUp();
    } catch (error) {
      // A crash and a stop took the link away and have been dealt with where they were noticed.
      if (this.#link === link) this.#goDown(error);
    }
  }

  #again(): void {
    // In a turn of its own, so that nobody is called back while still calling.
    this.#attempt = Promise.resolve().then(() => this.#try());
  }

  #goDown(error: unknown, gone = false): void {
    if (this.#state === 'closed') return;
    const { clock, log, name } = this.#options;
    this.#detail = messageOf(error);
    // Said once per outage, not at every try.
    if (this.#trouble === undefined) log.error('history failed, it is tried again', { worker: name, error: this.#detail });
    this.#trouble = this.#detail;
    this.#state = 'down';
    this.#cancelRetry();
    this.#cancelRetry = clock.after(this.#backoffMs, () => this.#again());
    this.#backoffMs = Math.min(limits.backoffMaxMs, this.#backoffMs * 2);
    this.#options.onDown(gone);
  }

  #crashed(error: Error): void {
    this.#link = undefined;
    this.#opened = false;
    if (this.#state === 'closed') return;
    this.restarts += 1;
    this.#goDown(error, true);
  }

  /** What is in the file is no database any more: a new worker sets it aside and begins a new one. */
  async #renew(error: StoreTrouble): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    this.#opened = false;
    this.#setAside = true;
    this.#goDown(error, true);
    this.#cancelRetry();
    await link?.end();
    if (this.#state === 'down') this.#again();
  }
}
