/**
 * One serial port, shared by all connections on it: frames come in, one request at a time goes out. A frame that fits the reply that is waited
 * for is the reply; every other one is for those who listen.
 */
import type { Clock } from '../../src/contract/clock.ts';
import type { Host } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Stream } from '../tty/port-stream.ts';
import { wireMs } from '../tty/settings.ts';
import type { Shareable } from '../tty/sharing.ts';
import { openStream } from '../tty/stream.ts';
import { Turns } from '../tty/turns.ts';
import { findUsb } from '../tty/usb.ts';
import { Drops, droppedWords } from './drops.ts';
import { Batch, type Frame } from './frame.ts';
import { createFraming, type Framing } from './framing/create.ts';
import { type ConnectionOptions, startRestOf, ttyOf, turnaroundOf } from './settings.ts';
import { Taps } from './taps.ts';
import type { Spelling } from './template.ts';

/** How a request ended. `sent` says whether bytes left this machine. */
export type Outcome<T> =
  | { kind: 'answer'; answer: T }
  /** `damaged` frames came meanwhile whose checksum does not fit. */
  | { kind: 'timeout'; damaged: number }
  | { kind: 'lost'; error: LinkLost; sent: boolean }
  | { kind: 'aborted'; reason: unknown; sent: boolean };

export interface Request<T> {
  /** As it is written in the settings; checksum and markers are added. Empty: nothing is sent. */
  bytes: Buffer;
  /** What a frame means as a reply; undefined if it is none. Absent: nothing is waited for. */
  accept?(frame: Frame): T | undefined;
  timeoutMs: number;
  restMs: number;
  /** Who is asked, for those who look at the traffic. */
  unit?: string;
  /** True if a late reply can be told from that to another request: then nothing needs to rest. */
  isNumbered?: boolean;
  /** True in the start-up dialogue: a late reply to one step is not that to another, but it may be one to somebody who had the port before. */
  isStart?: boolean;
  /** What is shown of it instead of what it is: it holds a secret. */
  shown?: Buffer;
}

interface Exchange {
  unit: string | undefined;
  damaged: number;
  /** True if the frame was the reply. */
  take(frame: Frame): boolean;
  lose(error: LinkLost): void;
}

type WireHost = Pick<Host, 'clock' | 'log' | 'secret'>;

export class Wire implements Shareable {
  over: LinkLost | undefined;
  /** Told of the frames that are no replies, those that came together at once. */
  readonly listeners = new Set<(frames: readonly Frame[]) => void>();
  /** Told once when the port is gone by itself. */
  readonly losses = new Set<(error: LinkLost) => void>();
  /** Told of everything that goes over the wire. */
  readonly taps: Taps;
  /** Told of the bytes as they come, before anything is made of them. */
  readonly probes = new Set<(bytes: Buffer) => void>();
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #turns = new Turns();
  readonly #framing: Framing;
  readonly #openedAtMs: number;
  #port: Stream | undefined;
  #exchange: Exchange | undefined;
  /** Says whether a frame is the reply to a request that was given up and may still be answered. */
  #late: ((frame: Frame) => boolean) | undefined;
  #notBeforeMs: number;
  /** Ends a wait, so that it is looked at anew. */
  #wake = () => {};
  #cancelIdle = () => {};
  #heardBefore = false;
  #sequence = 0;

  private constructor(options: ConnectionOptions, { clock, log, secret }: WireHost) {
    this.#options = options;
    this.taps = new Taps(secret('password') ?? '');
    this.#clock = clock;
    const drops = new Drops(options.framing, log);
    this.#framing = createFraming(options.framing, options.encoding, (why, bytes) => {
      this.taps.tell({ direction: 'in', bytes, meaning: droppedWords[why], isFault: true });
      if (why === 'checksum' && this.#exchange) this.#exchange.damaged += 1;
      drops.note(why);
    });
    this.#openedAtMs = clock.monotonicMs();
    this.#notBeforeMs = this.#openedAtMs + Math.max(limits.serialSettleMs, options.connectDelay);
  }

  /** Rejects with what is wrong with the port, in words. */
  static async open(options: ConnectionOptions, host: WireHost): Promise<Wire> {
    const wire = new Wire(options, host);
    const path = options.path ?? (await findUsb(options.usb));
    const events = { data: (bytes: Buffer) => wire.#hear(bytes), lost: (error: LinkLost) => wire.#lose(error) };
    wire.#port = await openStream(ttyOf(options, path), events, host.clock);
    return wire;
  }

  get spelling(): Spelling {
    return { ending: this.#framing.ending, encoding: this.#options.encoding };
  }

  /** The number of the next request that bears one. */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) % 0x100;
    return this.#sequence;
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
      await this.#isFree(() => this.#earliestMs(request), signal);
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
    this.#cancelIdle();
    this.#exchange?.lose(this.over);
    await this.#port?.close();
  }

  /** When it may be sent: for some time after opening a reply to somebody who had the port before may come, and would look like its own. */
  #earliestMs<T>({ accept, bytes, isNumbered, isStart }: Request<T>): number {
    // What is only waited for may come at once.
    const isQuestion = accept !== undefined && !isNumbered && !(isStart && bytes.length === 0);
    if (!isQuestion) return this.#notBeforeMs;
    return Math.max(this.#notBeforeMs, this.#openedAtMs + (isStart ? startRestOf(this.#options) : turnaroundOf(this.#options)));
  }

  /** Resolves when the next request may be sent, the signal is aborted, or the port is gone. */
  async #isFree(earliestMs: () => number, signal: AbortSignal): Promise<void> {
    while (!this.over && !signal.aborted) {
      const waitMs = earliestMs() - this.#clock.monotonicMs();
      if (waitMs <= 0) break;
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await this.#clock.sleep(Math.ceil(waitMs), AbortSignal.any([signal, woken.signal])).catch(() => {});
    }
    this.#late = undefined;
  }

  #exchangeNow<T>(request: Request<T>, signal: AbortSignal): Promise<Outcome<T>> {
    const { accept, timeoutMs, unit } = request;
    const bytes = request.bytes.length === 0 ? request.bytes : this.#framing.encode(request.bytes);
    return new Promise((resolve) => {
      let ended = false;
      const end = (outcome: Outcome<T>, answered: boolean) => {
        if (ended) return;
        ended = true;
        cancel();
        signal.removeEventListener('abort', abort);
        if (!answered && accept && !request.isNumbered && !request.isStart) this.#giveUp((frame) => accept(frame) !== undefined);
        resolve(outcome);
      };
      const abort = () => end({ kind: 'aborted', reason: signal.reason, sent: true }, false);
      const deadlineMs = timeoutMs + Math.ceil(wireMs(ttyOf(this.#options, ''), bytes.length));
      const exchange: Exchange = {
        unit,
        damaged: 0,
        take: (frame) => {
          const answer = accept?.(frame);
          if (answer === undefined) return false;
          end({ kind: 'answer', answer }, true);
          return true;
        },
        lose: (error) => end({ kind: 'lost', error, sent: true }, true),
      };
      const cancel = this.#clock.after(deadlineMs, () => end({ kind: 'timeout', damaged: exchange.damaged }, false));
      signal.addEventListener('abort', abort, { once: true });
      this.#exchange = exchange;
      if (bytes.length > 0) this.taps.tell({ direction: 'out', bytes: request.shown ?? bytes, ...(unit === undefined ? {} : { unit }) });
      const written = bytes.length > 0 ? this.#port?.write(bytes) : undefined;
      // Handed over to the port is all that can be known.
      if (!accept) void Promise.resolve(written).then(() => end({ kind: 'answer', answer: undefined as T }, true));
    });
  }

  /** The reply may still come. It would look like the next one, so nothing is sent for as long again, unless it comes before. */
  #giveUp(isReply: (frame: Frame) => boolean): void {
    this.#late = isReply;
    this.#notBeforeMs = this.#clock.monotonicMs() + turnaroundOf(this.#options);
  }

  #hear(bytes: Buffer): void {
    // Bytes that come right after opening may be the rest of a frame whose beginning nobody heard.
    const isFirst = !this.#heardBefore;
    this.#heardBefore = true;
    for (const probe of this.probes) probe(bytes);
    if (isFirst && this.#clock.monotonicMs() - this.#openedAtMs < limits.serialSettleMs) this.#framing.skip();
    this.#takeAll(this.#framing.push(bytes));
    const { gapMs } = this.#framing;
    if (gapMs === undefined || this.over) return;
    this.#cancelIdle();
    this.#cancelIdle = this.#clock.after(gapMs, () => this.#takeAll(this.#framing.idle()));
  }

  #takeAll(frames: Iterable<Buffer>): void {
    const batch = new Batch(this.#options.encoding);
    const heard: Frame[] = [];
    // They came together: the clock is asked once.
    const atMs = this.#clock.nowMs();
    for (const bytes of frames) {
      const frame = batch.add(bytes);
      if (!this.#isReply(frame, atMs)) heard.push(frame);
    }
    if (heard.length > 0) for (const listen of this.listeners) listen(heard);
  }

  #isReply(frame: Frame, atMs: number): boolean {
    const { bytes } = frame;
    const exchange = this.#exchange;
    if (exchange?.take(frame)) {
      this.#exchange = undefined;
      this.taps.tell({ direction: 'in', bytes, atMs, meaning: 'reply', ...(exchange.unit === undefined ? {} : { unit: exchange.unit }) });
      return true;
    }
    if (this.#late?.(frame)) {
      this.taps.tell({ direction: 'in', bytes, atMs, meaning: 'reply that came too late', isFault: true });
      this.#late = undefined;
      this.#notBeforeMs = this.#clock.monotonicMs();
      this.#wake();
      return true;
    }
    this.taps.tell({ direction: 'in', bytes, atMs });
    return false;
  }

  #lose(error: LinkLost): void {
    this.over = error;
    this.#cancelIdle();
    this.#wake();
    this.#exchange?.lose(error);
    for (const tell of this.losses) tell(error);
  }
}
