/**
 * One serial line of Modbus RTU, shared by all connections on its port: one request at a time, silence in between, and after an answer
 * that did not come in time a quiet time in which it may still come and is thrown away. On such a line an answer carries neither number
 * nor address: one that is late would be taken for that to the next request of the same shape.
 */
import type { Clock } from '../../src/contract/clock.ts';
import type { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { Port } from '../tty/port.ts';
import { type TtySettings, wireMs } from '../tty/settings.ts';
import type { Shareable } from '../tty/sharing.ts';
import { Turns } from '../tty/turns.ts';
import type { Overdue, Turn } from './link.ts';
import { answerShape, exceptionShape, findFrame, isDamaged, isWhole, type Shape, silenceMs, withChecksum } from './rtu-frame.ts';

/** A request that waits for its answer. */
interface Exchange {
  shapes: readonly Shape[];
  unitId: number;
  answer(unitAndPdu: Buffer): void;
  damaged(): void;
}

export class RtuLine implements Shareable {
  over: LinkLost | undefined;
  readonly path: string;
  /** Told once when the port is gone by itself. */
  readonly losses = new Set<(error: LinkLost) => void>();
  readonly #settings: TtySettings;
  readonly #clock: Clock;
  readonly #turns = new Turns();
  #port: Port | undefined;
  #exchange: Exchange | undefined;
  /** What an answer looks like that is not waited for any more, as long as it may come. */
  #late: readonly Shape[] | undefined;
  #held: Buffer = Buffer.alloc(0);
  #heardAtMs: number;
  #quietUntilMs: number;
  #cancelGap = () => {};
  /** Ends a wait for silence, so that it is looked at anew. */
  #wake = () => {};

  private constructor(settings: TtySettings, turnaroundMs: number, clock: Clock) {
    this.path = settings.path;
    this.#settings = settings;
    this.#clock = clock;
    // Whoever had the port before, a connection with other settings perhaps, may have left a request without its answer.
    this.#late = [];
    this.#heardAtMs = clock.monotonicMs();
    this.#quietUntilMs = this.#heardAtMs + turnaroundMs;
  }

  static async open(settings: TtySettings, turnaroundMs: number, clock: Clock): Promise<RtuLine> {
    const line = new RtuLine(settings, turnaroundMs, clock);
    line.#port = await Port.open(settings, { data: (bytes) => line.#hear(bytes), lost: (error) => line.#lose(error) }, clock);
    return line;
  }

  /** Waits for its turn and then for silence of at least `restMs`. Rejects with the signal's reason. */
  async turn(restMs: number, turnaroundMs: number, signal: AbortSignal): Promise<Turn> {
    const release = await this.#turns.take(signal);
    try {
      const noise = await this.#becomesQuiet(Math.max(restMs, silenceMs(this.#settings.baudRate)), signal);
      return { ...(noise === undefined ? {} : { noise }), end: (answered) => this.#endTurn(answered, turnaroundMs, release) };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Sends unit and PDU; exactly one of the two is called, or neither. Undefined if the port is gone. */
  send(unitAndPdu: Buffer, told: Pick<Exchange, 'answer' | 'damaged'>): { wireMs: number } | undefined {
    if (this.over || !this.#port) return undefined;
    const answer = answerShape(unitAndPdu);
    this.#held = Buffer.alloc(0);
    this.#exchange = { ...told, shapes: [answer, exceptionShape(unitAndPdu)], unitId: unitAndPdu.readUInt8(0) };
    const frame = withChecksum(unitAndPdu);
    void this.#port.write(frame);
    return { wireMs: Math.ceil(wireMs(this.#settings, frame.length + answer.bytes)) };
  }

  /** What has come instead of the answer. */
  overdue(): Overdue {
    const held = this.#held;
    if (held.length === 0) return { kind: 'timeout' };
    const shortest = Math.min(...(this.#exchange?.shapes ?? []).map((shape) => shape.bytes));
    if (isWhole(held)) {
      const unit = held.readUInt8(0);
      if (unit !== this.#exchange?.unitId) return { kind: 'timeout', detail: `unit ${unit} answered instead` };
      return { kind: 'garbled', detail: `the answer does not fit the request: ${held.length} bytes` };
    }
    if (held.length < shortest) return { kind: 'timeout', detail: `only ${held.length} bytes came` };
    return { kind: 'crc', detail: `${held.length} bytes came, and no answer with a right checksum among them` };
  }

  async close(): Promise<void> {
    this.#cancelGap();
    await this.#port?.close();
  }

  #endTurn(answered: boolean, turnaroundMs: number, release: () => void): void {
    this.#cancelGap();
    if (!answered && this.#exchange) {
      this.#late = this.#exchange.shapes;
      this.#quietUntilMs = this.#clock.monotonicMs() + turnaroundMs;
    }
    this.#exchange = undefined;
    release();
  }

  /** Why the line cannot be used: it does not fall silent. */
  async #becomesQuiet(silence: number, signal: AbortSignal): Promise<string | undefined> {
    const endMs = Math.max(this.#clock.monotonicMs(), this.#quietUntilMs) + silence + limits.rtuBabbleMs;
    for (;;) {
      signal.throwIfAborted();
      const nowMs = this.#clock.monotonicMs();
      const waitMs = Math.max(this.#quietUntilMs, this.#heardAtMs + silence) - nowMs;
      if (waitMs > 0) {
        if (nowMs >= endMs) return `the line is never quiet: bytes that nobody asked for keep coming for ${limits.rtuBabbleMs} ms`;
        const woken = new AbortController();
        this.#wake = () => woken.abort();
        await this.#clock.sleep(Math.ceil(waitMs), AbortSignal.any([signal, woken.signal])).catch(() => {});
      } else if (this.#late) {
        // Never came. What has reached this machine and not us yet goes with it; then the silence is looked at once more.
        this.#late = undefined;
        await this.#port?.discard();
      } else return undefined;
    }
  }

  #hear(bytes: Buffer): void {
    this.#heardAtMs = this.#clock.monotonicMs();
    this.#cancelGap();
    const shapes = this.#exchange?.shapes ?? this.#late;
    if (!shapes) return;
    this.#held = Buffer.concat([this.#held, bytes]).subarray(-limits.rtuHeldBytesMax);
    const frame = findFrame(this.#held, shapes);
    if (frame) this.#take(frame);
    else if (this.#exchange && isDamaged(this.#held, shapes))
      this.#cancelGap = this.#clock.after(limits.rtuGapMs, () => this.#exchange?.damaged());
  }

  #take(frame: Buffer): void {
    const exchange = this.#exchange;
    this.#held = Buffer.alloc(0);
    this.#exchange = undefined;
    if (exchange) {
      exchange.answer(frame);
      return;
    }
    // The answer that was given up has come: nothing is on its way any more.
    this.#late = undefined;
    this.#quietUntilMs = this.#heardAtMs;
    this.#wake();
  }

  #lose(error: LinkLost): void {
    this.over = error;
    for (const tell of this.losses) tell(error);
  }
}
