/** Requests and what became of them: one record a request, holding its deadline, gone on every way out. */
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Frame, Link, LinkEvents, Overdue, Turn } from './link.ts';
import { WirePort } from './port.ts';

/** How a request ended. `sent` says whether bytes left this machine. */
export type Outcome<T> =
  | { kind: 'answer'; answer: T }
  | { kind: 'exception'; code: number }
  /** No answer came, a damaged one, or (`garbled`) one that cannot belong to this request. */
  | Overdue
  /** The line is never quiet, so nothing was sent. */
  | { kind: 'noise'; detail: string }
  | { kind: 'lost'; error: LinkLost; sent: boolean }
  | { kind: 'aborted'; reason: unknown; sent: boolean };

/** The library's way to answer. */
export type Done<T> = (error: (Error & { modbusCode?: number }) | null, answer: T) => void;

export interface ClientOptions {
  connect(events: LinkEvents, signal: AbortSignal): Promise<Link>;
  timeoutMs: number;
  requestDelayMs: number;
  clock: Clock;
  /** Once, when the link breaks by itself. */
  lost(error: LinkLost): void;
}

interface Waiting {
  /** `answered` is false if an answer may still come. */
  settle(outcome: Outcome<never>, answered: boolean): void;
}

export class Client {
  readonly #options: ClientOptions;
  readonly #port: WirePort;
  readonly #closing = new AbortController();
  readonly #waiting = new Map<number, Waiting>();
  #library: ModbusRTU | undefined;
  #link: Link | undefined;
  #over: LinkLost | undefined;
  #quietUntilMs = 0;

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#port = new WirePort(() => this.#link);
  }

  static async open(options: ClientOptions, signal: AbortSignal): Promise<Client> {
    // Imported late: the library is needed only where there is a Modbus connection.
    const { default: modbusSerial } = await import('modbus-serial');
    signal.throwIfAborted();
    const client = new Client(options);
    const events: LinkEvents = {
      frame: (frame) => client.#take(frame),
      damaged: (transaction) => {
        const match = client.#port.match(transaction);
        const outcome: Overdue = { kind: 'crc', detail: 'the checksum of the answer is wrong' };
        if (match) client.#waiting.get(match.slot)?.settle(outcome, true);
      },
      lost: (error) => client.#end(error, true),
    };
    client.#link = await options.connect(events, signal);
    client.#library = new modbusSerial.default(client.#port);
    client.#library.open(() => {});
    return client;
  }

  /** `send` makes the library write one request. Never rejects. */
  async request<T>(send: (library: ModbusRTU, done: Done<T>) => void, signal: AbortSignal): Promise<Outcome<T>> {
    await this.#rest(signal);
    let turn: Turn | undefined;
    try {
      turn = await this.#link?.turn?.(AbortSignal.any([signal, this.#closing.signal]));
    } catch (error) {
      return this.#over
        ? { kind: 'lost', error: this.#over, sent: false }
        : { kind: 'aborted', reason: signal.reason ?? error, sent: false };
    }
    if (turn?.noise !== undefined) {
      turn.end(true);
      return { kind: 'noise', detail: turn.noise };
    }
    const { outcome, answered } = await this.#exchange(send, signal);
    turn?.end(answered);
    return outcome;
  }

  #exchange<T>(
    send: (library: ModbusRTU, done: Done<T>) => void,
    signal: AbortSignal,
  ): Promise<{ outcome: Outcome<T>; answered: boolean }> {
    const nothing = (outcome: Outcome<T>) => Promise.resolve({ outcome, answered: true });
    // Looked at after the pauses: an abort during them fires before anyone listens.
    if (signal.aborted) return nothing({ kind: 'aborted', reason: signal.reason, sent: false });
    const library = this.#library;
    if (this.#over || !library) return nothing({ kind: 'lost', error: this.#over ?? new LinkLost('the session is not open'), sent: false });
    const slot = this.#port.reserve();
    if (slot === undefined) throw new Error(`more than ${limits.modbusInFlightMax} requests at once on ${this.#link?.name}`);
    return new Promise((resolve) => {
      let cancelDeadline = () => {};
      const settle = (outcome: Outcome<T>, answered: boolean) => {
        if (this.#waiting.get(slot) !== waiting) return;
        this.#waiting.delete(slot);
        cancelDeadline();
        signal.removeEventListener('abort', abort);
        this.#port.forget(slot, answered);
        this.#quietUntilMs = this.#options.clock.monotonicMs() + this.#options.requestDelayMs;
        resolve({ outcome, answered });
      };
      const abort = () => settle({ kind: 'aborted', reason: signal.reason, sent: true }, false);
      signal.addEventListener('abort', abort, { once: true });
      const waiting: Waiting = { settle };
      this.#waiting.set(slot, waiting);
      send(library, (error, answer) => settle(error ? outcomeOf(error) : { kind: 'answer', answer }, true));
      if (!this.#waiting.has(slot)) return;
      const sent = this.#port.sentIn(slot);
      if (!sent) settle({ kind: 'lost', error: new LinkLost('the link broke before the request was sent'), sent: false }, true);
      else cancelDeadline = this.#options.clock.after(this.#options.timeoutMs + sent.wireMs, () => this.#late(slot));
    });
  }

  /** Never rejects. What waits ends as lost. */
  async close(): Promise<void> {
    this.#end(new LinkLost('the session was closed'), false);
    this.#closing.abort();
    await this.#link?.close();
  }

  /** The quiet time devices may ask for between an answer and the next request. */
  async #rest(signal: AbortSignal): Promise<void> {
    const restMs = this.#quietUntilMs - this.#options.clock.monotonicMs();
    if (this.#options.requestDelayMs === 0 || restMs <= 0) return;
    // Cut short by an abort or by close; both are looked at by the caller.
    await this.#options.clock.sleep(restMs, AbortSignal.any([signal, this.#closing.signal])).catch(() => {});
  }

  #take(frame: Frame): void {
    const match = this.#port.match(frame.transaction);
    const waiting = match && this.#waiting.get(match.slot);
    // An answer to nobody: late, twice, or invented. Dropped.
    if (!waiting) return;
    if (match.askedUnit === frame.unitId) {
      this.#port.deliver(match.slot, frame);
      // Unless the library dropped it without a word, this is settled already.
      waiting.settle({ kind: 'garbled', detail: 'the answer does not fit the request' }, true);
    } else {
      waiting.settle({ kind: 'garbled', detail: `unit ${frame.unitId} answered, unit ${match.askedUnit} was asked` }, true);
    }
  }

  #late(slot: number): void {
    const overdue = this.#link?.overdue() ?? { kind: 'timeout' };
    this.#waiting.get(slot)?.settle(overdue, false);
  }

  #end(error: LinkLost, byItself: boolean): void {
    if (this.#over) return;
    this.#over = error;
    this.#port.isOpen = false;
    for (const waiting of [...this.#waiting.values()]) waiting.settle({ kind: 'lost', error, sent: true }, true);
    if (byItself) this.#options.lost(error);
  }
}

function outcomeOf(error: Error & { modbusCode?: number }): Outcome<never> {
  if (error.modbusCode !== undefined) return { kind: 'exception', code: error.modbusCode };
  return { kind: 'garbled', detail: `the answer does not fit the request: ${messageOf(error)}` };
}
