/**
 * One serial port, shared by all connections on it: lines come in, one request at a time goes out. A line that fits the reply that is waited
 * for is the reply; every other line is for those who listen.
 */
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Log } from '../../src/contract/log.ts';
import { Port } from '../tty/port.ts';
import { wireMs } from '../tty/settings.ts';
import type { Shareable } from '../tty/sharing.ts';
import { Turns } from '../tty/turns.ts';
import { type Dropped, Framer } from './framer.ts';
import { type ConnectionOptions, ttyOf } from './settings.ts';

/** How a request ended. `sent` says whether bytes left this machine. */
export type Outcome<T> =
  | { kind: 'answer'; answer: T }
  | { kind: 'timeout' }
  | { kind: 'lost'; error: LinkLost; sent: boolean }
  | { kind: 'aborted'; reason: unknown; sent: boolean };

export interface Request<T> {
  text: string;
  /** What a line means as a reply; undefined if it is none. Absent: nothing is waited for. */
  accept?(line: string): T | undefined;
  timeoutMs: number;
  restMs: number;
}

interface Exchange {
  /** True if the line was the reply. */
  take(line: string): boolean;
  lose(error: LinkLost): void;
}

export class Wire implements Shareable {
  over: LinkLost | undefined;
  /** Told of every line that is no reply. */
  readonly listeners = new Set<(line: string) => void>();
  /** Told once when the port is gone by itself. */
  readonly losses = new Set<(error: LinkLost) => void>();
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #turns = new Turns();
  readonly #framer: Framer;
  readonly #openedAtMs: number;
  #port: Port | undefined;
  #exchange: Exchange | undefined;
  /** Says whether a line is the reply to a request that was given up and may still be answered. */
  #late: ((line: string) => boolean) | undefined;
  #notBeforeMs: number;
  /** Ends a wait, so that it is looked at anew. */
  #wake = () => {};
  #heardBefore = false;
  #dropped = 0;

  private constructor(options: ConnectionOptions, clock: Clock, log: Log) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#framer = new Framer({ ...options.framing, encoding: options.encoding }, (why) => this.#drop(why));
    this.#openedAtMs = clock.monotonicMs();
    this.#notBeforeMs = this.#openedAtMs + Math.max(limits.serialSettleMs, options.connectDelay);
  }

  static async open(options: ConnectionOptions, clock: Clock, log: Log): Promise<Wire> {
    const wire = new Wire(options, clock, log);
    wire.#port = await Port.open(ttyOf(options), { data: (bytes) => wire.#hear(bytes), lost: (error) => wire.#lose(error) }, clock);
    return wire;
  }

  /** Never rejects. */
  async ask<T>(request: Request<T>, signal: AbortSignal): Promise<Outcome<T>> {
    let release: () => void;
    try {
      release = await this.#turns.take(signal);
    } catch (reason) {
      return { kind: 'aborted', reason, sent: false };
    }
    try {
      await this.#isFree(signal);
      if (signal.aborted) return { kind: 'aborted', reason: signal.reason, sent: false };
      if (this.over) return { kind: 'lost', error: this.over, sent: false };
      return await this.#exchangeNow(request, signal);
    } finally {
      this.#exchange = undefined;
      this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#clock.monotonicMs() + request.restMs);
      release();
    }
  }

  async close(): Promise<void> {
    this.over ??= new LinkLost('the session was closed');
    this.#wake();
    this.#exchange?.lose(this.over);
    await this.#port?.close();
  }

  /** Resolves when the next request may be sent, the signal is aborted, or the port is gone. */
  async #isFree(signal: AbortSignal): Promise<void> {
    while (!this.over && !signal.aborted) {
      const waitMs = this.#notBeforeMs - this.#clock.monotonicMs();
      if (waitMs <= 0) break;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await this.#clock.sleep(Math.ceil(waitMs), AbortSignal.any([signal, woken.signal])).catch(() => {});
    }
    this.#late = undefined;
  }

  #exchangeNow<T>({ text, accept, timeoutMs }: Request<T>, signal: AbortSignal): Promise<Outcome<T>> {
    const bytes = Buffer.from(text, this.#options.encoding === 'latin1' ? 'latin1' : 'utf8');
    return new Promise((resolve) => {
      let ended = false;
      const end = (outcome: Outcome<T>, answered: boolean) => {
        if (ended) return;
        ended = true;
        cancel();
        signal.removeEventListener('abort', abort);
        if (!answered && accept) this.#giveUp(timeoutMs, (line) => accept(line) !== undefined);
        resolve(outcome);
      };
      const abort = () => end({ kind: 'aborted', reason: signal.reason, sent: true }, false);
      const deadlineMs = timeoutMs + Math.ceil(wireMs(ttyOf(this.#options), bytes.length));
      const cancel = this.#clock.after(deadlineMs, () => end({ kind: 'timeout' }, false));
      signal.addEventListener('abort', abort, { once: true });
      this.#exchange = {
        take: (line) => {
          const answer = accept?.(line);
          if (answer === undefined) return false;
          end({ kind: 'answer', answer }, true);
          return true;
        },
        lose: (error) => end({ kind: 'lost', error, sent: true }, true),
      };
      const written = this.#port?.write(bytes);
      // Handed over to the port is all that can be known.
      if (!accept) void written?.then(() => end({ kind: 'answer', answer: undefined as T }, true));
    });
  }

  /** The reply may still come. It would look like the next one, so nothing is sent for as long again, unless it comes before. */
  #giveUp(timeoutMs: number, isReply: (line: string) => boolean): void {
    this.#late = isReply;
    this.#notBeforeMs = this.#clock.monotonicMs() + Math.min(timeoutMs, limits.turnaroundMaxMs);
  }

  #hear(bytes: Buffer): void {
    // Bytes that come right after opening may be the rest of a line whose beginning nobody heard.
    const isFirst = !this.#heardBefore;
    this.#heardBefore = true;
    if (isFirst && this.#clock.monotonicMs() - this.#openedAtMs < limits.serialSettleMs) this.#framer.skip();
    for (const line of this.#framer.push(bytes)) this.#take(line);
  }

  #take(line: string): void {
    const exchange = this.#exchange;
    if (exchange?.take(line)) {
      this.#exchange = undefined;
      return;
    }
    if (this.#late?.(line)) {
      this.#late = undefined;
      this.#notBeforeMs = this.#clock.monotonicMs();
      this.#wake();
      return;
    }
    for (const listen of this.listeners) listen(line);
  }

  #drop(why: Dropped): void {
    if (why === 'partial') return;
    this.#dropped += 1;
    if (this.#dropped > 1) return;
    const { maxLength, delimiter } = this.#options.framing;
    this.#log.warn('a line is longer than framing.maxLength and is dropped; further ones are not reported', {
      maxLength,
      delimiter: JSON.stringify(delimiter),
    });
  }

  #lose(error: LinkLost): void {
    this.over = error;
    this.#wake();
    this.#exchange?.lose(error);
    for (const tell of this.losses) tell(error);
  }
}
