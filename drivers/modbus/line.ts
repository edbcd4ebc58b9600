/**
 * One line of Modbus RTU or ASCII, on a serial port or behind a converter, shared by all connections on it: one request at a time, silence in
 * between, and after an answer that did not come in time a quiet time in which it may still come and is thrown away. On such a line an answer
 * carries neither number nor address: one that is late would be taken for that to the next request of the same shape.
 */
import type { Clock } from '../../src/contract/clock.ts';
import type { Discard } from '../../src/contract/driver.ts';
import type { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Shareable } from '../tty/sharing.ts';
import { Turns } from '../tty/turns.ts';
import { answerShape, exceptionShape, type Shape } from './answer-shape.ts';
import { exceptionBit } from './exceptions.ts';
import type { Framing } from './frame.ts';
import type { Overdue, Sent, Turn } from './link.ts';

/** What carries the bytes of a line: a serial port, or a socket to a converter. */
export interface Pipe {
  /** Never rejects: failing means that the pipe is lost, which is told by `lost`. */
  write(bytes: Uint8Array): void;
  /** Throws away what has reached this machine and was not read yet. Never rejects. */
  discard(): Promise<void>;
  /** Never rejects; any number of times. Does not say `lost`. */
  close(): Promise<void>;
}

export interface PipeEvents {
  data(bytes: Buffer): void;
  lost(error: LinkLost): void;
}

/** What is to be known of a line beside its pipe. */
export interface LineKind {
  /** For people: `/dev/ttyUSB0`, `10.0.0.5:4001`. */
  name: string;
  framing: Framing;
  /** Bits per second; undefined where the speed is a converter's business. */
  baudRate: number | undefined;
  /** Milliseconds that so many bytes take on the wire. */
  wireMs(bytes: number): number;
  open(events: PipeEvents): Promise<Pipe>;
}

/** A request that waits for its answer. */
interface Exchange {
  shapes: readonly Shape[];
  /** Unit and PDU. */
  request: Buffer;
  answer(unitAndPdu: Buffer, bytes: Buffer): void;
  damaged(bytes: Buffer): void;
}

export class Line implements Shareable {
  over: LinkLost | undefined;
  readonly kind: LineKind;
  /** Told once when the port is gone by itself. */
  readonly losses = new Set<(error: LinkLost) => void>();
  /** Told of bytes that are nobody's answer. */
  readonly strays = new Set<(bytes: Buffer, why: string, discard: Discard) => void>();
  readonly #clock: Clock;
  readonly #turns = new Turns();
  #pipe: Pipe | undefined;
  #exchange: Exchange | undefined;
  /** What an answer looks like that is not waited for any more, as long as it may come. */
  #late: readonly Shape[] | undefined;
  #held: Buffer = Buffer.alloc(0);
  #heardAtMs: number;
  #quietUntilMs: number;
  #cancelGap = () => {};
  /** Ends a wait for silence, so that it is looked at anew. */
  #wake = () => {};

  private constructor(kind: LineKind, turnaroundMs: number, clock: Clock) {
    this.kind = kind;
    this.#clock = clock;
    // Whoever had the port before, a connection with other settings perhaps, may have left a request without its answer.
    this.#late = [];
    this.#heardAtMs = clock.monotonicMs();
    this.#quietUntilMs = this.#heardAtMs + turnaroundMs;
  }

  static async open(kind: LineKind, turnaroundMs: number, clock: Clock): Promise<Line> {
    const line = new Line(kind, turnaroundMs, clock);
    line.#pipe = await kind.open({ data: (bytes) => line.#hear(bytes), lost: (error) => line.#lose(error) });
    return line;
  }

  /** Waits for its turn and then for silence of at least `restMs`. Rejects with the signal's reason. */
  async turn(restMs: number, turnaroundMs: number, signal: AbortSignal): Promise<Turn> {
    const release = await this.#turns.take(signal);
    try {
      const noise = await this.#becomesQuiet(Math.max(restMs, silenceOf(this.kind)), signal);
      return { ...(noise === undefined ? {} : { noise }), end: (answered) => this.#endTurn(answered, turnaroundMs, release) };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Sends unit and PDU; exactly one of the two is called, or neither. Undefined if the pipe is gone. Nobody answers a broadcast: `told` is undefined. */
  send(unitAndPdu: Buffer, told: Pick<Exchange, 'answer' | 'damaged'> | undefined): Sent | undefined {
    if (this.over || !this.#pipe) return undefined;
    const { framing, wireMs } = this.kind;
    const bytes = framing.encode(unitAndPdu);
    this.#held = Buffer.alloc(0);
    let answerBytes = 0;
    if (told) {
      const answer = answerShape(unitAndPdu);
      this.#exchange = { ...told, shapes: [answer, exceptionShape(unitAndPdu)], request: unitAndPdu };
      answerBytes = framing.wireBytes(answer.bytes);
    }
    this.#pipe.write(bytes);
    return { wireMs: Math.ceil(wireMs(bytes.length + answerBytes)), bytes };
  }

  /** What has come instead of the answer. */
  overdue(): Overdue {
    const held = this.#held;
    if (held.length === 0) return { kind: 'timeout' };
    const { discard, ...overdue } = this.#insteadOfAnswer(held);
    this.#stray(held, 'no answer to the request', discard);
    return overdue;
  }

  #insteadOfAnswer(held: Buffer): Overdue & { discard: Discard } {
    const { framing } = this.kind;
    const { shapes = [], request } = this.#exchange ?? {};
    const shortest = Math.min(...shapes.map((shape) => framing.wireBytes(shape.bytes)));
    const whole = framing.whole(held);
    if (whole) {
      const unit = whole.readUInt8(0);
      if (unit !== request?.readUInt8(0)) return { kind: 'timeout', detail: `unit ${unit} answered instead`, discard: 'unit' };
      const isSame = whole.readUInt8(1) % exceptionBit === request.readUInt8(1);
      const discard = isSame ? (whole.length === shapes[0]?.bytes ? 'echo' : 'length') : 'function';
      return { kind: 'garbled', detail: `the answer does not fit the request: ${held.length} bytes`, discard };
    }
    if (held.length < shortest) return { kind: 'timeout', detail: `only ${held.length} bytes came`, discard: 'framing' };
    return { kind: 'crc', detail: `${held.length} bytes came, and no answer with a right checksum among them`, discard: 'checksum' };
  }

  async close(): Promise<void> {
    this.#cancelGap();
    await this.#pipe?.close();
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
        // Timers count whole milliseconds, and one more is a twentieth of a short exchange at 19200 baud: the part of one passes in turns of the loop.
        if (waitMs >= 1) await this.#clock.sleep(Math.floor(waitMs), AbortSignal.any([signal, woken.signal])).catch(() => {});
        // On a busy machine a timer is looked at before bytes that came earlier.
        await turnOfLoop();
      } else if (this.#late) {
        // Never came. What has reached this machine and not us yet goes with it; then the silence is looked at once more.
        this.#late = undefined;
        await this.#pipe?.discard();
      } else return undefined;
    }
  }

  #hear(bytes: Buffer): void {
    this.#heardAtMs = this.#clock.monotonicMs();
    this.#cancelGap();
    const shapes = this.#exchange?.shapes ?? this.#late;
    if (!shapes) {
      this.#stray(bytes, 'nobody asked for it', 'noise');
      return;
    }
    this.#held = Buffer.concat([this.#held, bytes]).subarray(-limits.modbusHeldBytesMax);
    const frame = this.kind.framing.find(this.#held, shapes);
    if (frame) this.#take(frame);
    else if (this.#exchange && this.kind.framing.isDamaged(this.#held, shapes))
      this.#cancelGap = this.#clock.after(limits.rtuGapMs, () => this.#exchange?.damaged(this.#held));
  }

  #take(frame: Buffer): void {
    const exchange = this.#exchange;
    const bytes = this.#held;
    this.#held = Buffer.alloc(0);
    this.#exchange = undefined;
    if (exchange) {
      exchange.answer(frame, bytes);
      return;
    }
    // The answer that was given up has come: nothing is on its way any more.
    this.#stray(bytes, 'an answer that comes too late', 'late');
    this.#late = undefined;
    this.#quietUntilMs = this.#heardAtMs;
    this.#wake();
  }

  #stray(bytes: Buffer, why: string, discard: Discard): void {
    for (const tell of this.strays) tell(bytes, why, discard);
  }

  #lose(error: LinkLost): void {
    this.over = error;
    for (const tell of this.losses) tell(error);
  }
}

function silenceOf({ baudRate, framing }: LineKind): number {
  return baudRate === undefined ? 0 : framing.silenceMs(baudRate);
}

function turnOfLoop(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
