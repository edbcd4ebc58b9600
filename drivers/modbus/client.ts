/** Requests and what became of them: one record a request, holding its deadline, gone on every way out. */
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import type { Clock } from '../../src/contract/clock.ts';
import type { Traffic } from '../../src/contract/driver.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Frame, Link, LinkEvents, Overdue, Turn } from './link.ts';
import { WirePort } from './port.ts';
import { answerWords, requestWords } from './words.ts';

/** How a request ended. `sent` says whether bytes left this machine. */
export type Outcome<T> =
  | { kind: 'answer'; answer: T }
  | { kind: 'exception'; code: number }
  /** Sent to all, and nobody answers. */
  | { kind: 'broadcast' }
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
  /** After opening, each time. */
  connectDelayMs: number;
  /** Lets the link go when nobody asks, and opens it again for the next request. */
  closeWhenIdle: boolean;
  clock: Clock;
  traffic?: ((message: Traffic) => void) | undefined;
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
  /** The link is being opened again after it was let go. */
  #opening: Promise<void> | undefined;
  #cancelIdle = () => {};
  #using = 0;
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
    client.#library = new modbusSerial.default(client.#port);
    client.#library.open(() => {});
    await client.#connect(signal);
    return client;
  }

  /** `send` makes the library write one request. Never rejects. */
  async request<T>(send: (library: ModbusRTU, done: Done<T>) => void, signal: AbortSignal, awaitsAnswer = true): Promise<Outcome<T>> {
    this.#using += 1;
    this.#cancelIdle();
    try {
      return await this.#request(send, signal, awaitsAnswer);
    } finally {
      this.#using -= 1;
      if (this.#options.closeWhenIdle && this.#using === 0 && !this.#over)
        this.#cancelIdle = this.#options.clock.after(limits.modbusIdleCloseMs, () => this.#letGo());
    }
  }

  async #request<T>(send: (library: ModbusRTU, done: Done<T>) => void, signal: AbortSignal, awaitsAnswer: boolean): Promise<Outcome<T>> {
    // Made only where something is waited for: it costs as much as a request on a fast link.
    const either = () => AbortSignal.any([signal, this.#closing.signal]);
    let turn: Turn | undefined;
    try {
      if (!this.#link && !this.#over) await this.#reconnect(either());
      await this.#rest(signal);
      if (this.#link?.turn) turn = await this.#link.turn(either());
    } catch (error) {
      if (this.#over) return { kind: 'lost', error: this.#over, sent: false };
      return { kind: 'aborted', reason: signal.reason ?? error, sent: false };
    }
    if (turn?.noise !== undefined) {
      turn.end(true);
      return { kind: 'noise', detail: turn.noise };
    }
    this.#port.awaitsAnswer = awaitsAnswer;
    const { outcome, answered } = await this.#exchange(send, signal, awaitsAnswer);
    turn?.end(answered);
    return outcome;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const events: LinkEvents = {
      frame: (frame) => this.#take(frame),
      damaged: (transaction, bytes) => {
        this.#tell('in', bytes, 'the checksum is wrong', undefined, true);
        const match = this.#port.match(transaction);
        const outcome: Overdue = { kind: 'crc', detail: 'the checksum of the answer is wrong' };
        if (match) this.#waiting.get(match.slot)?.settle(outcome, true);
      },
      stray: (bytes, why) => this.#tell('in', bytes, why, undefined, true),
      lost: (error) => {
        gone = error;
        if (this.#link !== link) return;
        // Who lets go between polls does not mind if the other end is faster.
        if (this.#options.closeWhenIdle && this.#waiting.size === 0) this.#letGo();
        else this.#end(error, true);
      },
    };
    let gone: LinkLost | undefined;
    const link = await this.#options.connect(events, signal);
    try {
      if (this.#options.connectDelayMs > 0) await this.#options.clock.sleep(this.#options.connectDelayMs, signal);
      signal.throwIfAborted();
      if (gone) throw gone;
    } catch (error) {
      await link.close();
      throw error;
    }
    this.#link = link;
  }

  /** Never rejects but with the signal's reason; a link that cannot be opened is a lost one. */
  async #reconnect(signal: AbortSignal): Promise<void> {
    this.#opening ??= this.#connect(this.#closing.signal)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#end(new LinkLost(messageOf(error), { cause: error }), true);
      })
      .finally(() => {
        this.#opening = undefined;
      });
    const opening = this.#opening;
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      void opening.then(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
    });
    if (this.#over) throw this.#over;
  }

  #letGo(): void {
    const link = this.#link;
    this.#link = undefined;
    void link?.close();
  }

  #exchange<T>(
    send: (library: ModbusRTU, done: Done<T>) => void,
    signal: AbortSignal,
    awaitsAnswer: boolean,
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
      if (sent) this.#tell('out', sent.bytes, undefined, sent);
      if (!sent) settle({ kind: 'lost', error: new LinkLost('the link broke before the request was sent'), sent: false }, true);
      else if (awaitsAnswer) cancelDeadline = this.#options.clock.after(this.#options.timeoutMs + sent.wireMs, () => this.#late(slot));
      // Nobody answers a broadcast: the time all units need to do it takes the answer's place.
      else cancelDeadline = this.#options.clock.after(limits.modbusBroadcastMs + sent.wireMs, () => settle({ kind: 'broadcast' }, true));
    });
  }

  /** Never rejects. What waits ends as lost. */
  async close(): Promise<void> {
    this.#end(new LinkLost('the session was closed'), false);
    this.#closing.abort(new Error('the session was closed'));
    this.#cancelIdle();
    await this.#opening;
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
    if (!waiting) {
      this.#tell('in', frame.bytes, 'an answer nobody waits for: late, twice, or invented', { unitId: frame.unitId }, true);
      return;
    }
    if (match.askedUnit === frame.unitId) {
      const sent = this.#port.sentIn(match.slot);
      if (this.#options.traffic && sent) {
        const fits = (frame.pdu[0] ?? 0) % 0x80 === (sent.pdu[0] ?? 0);
        const said = fits ? answerWords(sent.pdu, frame.pdu) : `answers function ${frame.pdu[0]}, ${sent.pdu[0]} was asked`;
        this.#tell('in', frame.bytes, said, sent, !fits || (frame.pdu[0] ?? 0) > 0x7f);
      }
      this.#port.deliver(match.slot, frame);
      // Unless the library dropped it without a word, this is settled already.
      waiting.settle({ kind: 'garbled', detail: 'the answer does not fit the request' }, true);
    } else {
      const detail = `unit ${frame.unitId} answered, unit ${match.askedUnit} was asked`;
      this.#tell('in', frame.bytes, detail, { unitId: frame.unitId }, true);
      waiting.settle({ kind: 'garbled', detail }, true);
    }
  }

  /** `meaning` of a request is said by its bytes. */
  #tell(direction: 'in' | 'out', bytes: Uint8Array, meaning?: string, whose?: { unitId: number; pdu?: Buffer }, isFault = false): void {
    const { traffic } = this.#options;
    if (!traffic) return;
    const said = meaning ?? (whose?.pdu ? requestWords(whose.pdu) : undefined);
    traffic({
      direction,
      bytes,
      ...(said === undefined ? {} : { meaning: said }),
      ...(whose ? { unit: String(whose.unitId) } : {}),
      ...(isFault ? { isFault: true } : {}),
    });
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
