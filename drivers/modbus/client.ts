/** Requests and what became of them: one record a request, holding its deadline, gone on every way out. */
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Frame } from './mbap.ts';
import { WirePort } from './port.ts';
import { connectTcp, type Link } from './tcp.ts';

/** How a request ended. `sent` says whether bytes left this machine. */
export type Outcome<T> =
  | { kind: 'answer'; answer: T }
  | { kind: 'exception'; code: number }
  | { kind: 'timeout' }
  /** An answer came that cannot be one to this request. */
  | { kind: 'garbled'; detail: string }
  | { kind: 'lost'; error: LinkLost; sent: boolean }
  | { kind: 'aborted'; reason: unknown; sent: boolean };

/** The library's way to answer. */
export type Done<T> = (error: (Error & { modbusCode?: number }) | null, answer: T) => void;

export interface ClientOptions {
  host: string;
  port: number;
  timeoutMs: number;
  requestDelayMs: number;
  clock: Clock;
  /** Once, when the link breaks by itself. */
  lost(error: LinkLost): void;
}

interface Waiting {
  settle(outcome: Outcome<never>): void;
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
  #heardAtMs: number;
  #silentRequests = 0;

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#port = new WirePort(() => this.#link);
    this.#heardAtMs = options.clock.monotonicMs();
  }

  static async open(options: ClientOptions, signal: AbortSignal): Promise<Client> {
    // Imported late: the library loads serialport, a native addon, as soon as it is imported.
    const { default: modbusSerial } = await import('modbus-serial');
    signal.throwIfAborted();
    const client = new Client(options);
    client.#link = await connectTcp(
      options.host,
      options.port,
      {
        frame: (frame) => client.#take(frame),
        heard: () => {
          client.#heardAtMs = options.clock.monotonicMs();
          client.#silentRequests = 0;
        },
        lost: (error) => client.#end(error, true),
      },
      signal,
    );
    client.#library = new modbusSerial.default(client.#port);
    client.#library.open(() => {});
    return client;
  }

  /** `send` makes the library write one request. Never rejects. */
  async request<T>(send: (library: ModbusRTU, done: Done<T>) => void, signal: AbortSignal): Promise<Outcome<T>> {
    await this.#rest(signal);
    // Looked at after the pause: an abort during it fires before anyone listens.
    if (signal.aborted) return { kind: 'aborted', reason: signal.reason, sent: false };
    const library = this.#library;
    if (this.#over || !library) return { kind: 'lost', error: this.#over ?? new LinkLost('the session is not open'), sent: false };
    const slot = this.#port.reserve();
    if (slot === undefined)
      throw new Error(`more than ${limits.modbusInFlightMax} requests at once on ${this.#options.host}:${this.#options.port}`);
    return await new Promise((resolve) => {
      const settle = (outcome: Outcome<T>) => {
        if (this.#waiting.get(slot) !== waiting) return;
        this.#waiting.delete(slot);
        cancelDeadline();
        signal.removeEventListener('abort', abort);
        this.#port.forget(slot, outcome.kind !== 'timeout' && outcome.kind !== 'aborted');
        this.#quietUntilMs = this.#options.clock.monotonicMs() + this.#options.requestDelayMs;
        resolve(outcome);
      };
      const abort = () => settle({ kind: 'aborted', reason: signal.reason, sent: true });
      const cancelDeadline = this.#options.clock.after(this.#options.timeoutMs, () => this.#late(slot));
      signal.addEventListener('abort', abort, { once: true });
      const waiting: Waiting = { settle };
      this.#waiting.set(slot, waiting);
      send(library, (error, answer) => settle(error ? outcomeOf(error) : { kind: 'answer', answer }));
      if (this.#waiting.has(slot) && !this.#port.isSent(slot))
        settle({ kind: 'lost', error: new LinkLost('the link broke before the request was sent'), sent: false });
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
    const match = this.#port.match(frame);
    const waiting = match && this.#waiting.get(match.slot);
    // An answer to nobody: late, twice, or invented. Dropped.
    if (!waiting) return;
    if (match.askedUnit === frame.unitId) {
      this.#port.deliver(match.slot, frame);
      // Unless the library dropped it without a word, this is settled already.
      waiting.settle({ kind: 'garbled', detail: 'the answer does not fit the request' });
    } else {
      waiting.settle({ kind: 'garbled', detail: `unit ${frame.unitId} answered, unit ${match.askedUnit} was asked` });
    }
  }

  #late(slot: number): void {
    const { clock, host, port } = this.#options;
    this.#silentRequests++;
    const silentMs = clock.monotonicMs() - this.#heardAtMs;
    if (this.#link?.midFrame()) {
      // Part of a frame and then nothing: where the next one begins is not known any more.
      this.#link.fail(new LinkLost(`${host}:${port}: an answer broke off in the middle`));
    } else if (this.#silentRequests >= limits.modbusSilentRequestsMax && silentMs >= limits.modbusSilentMs) {
      this.#link?.fail(
        new LinkLost(
          `${host}:${port}: not a byte in ${Math.round(silentMs / 1_000)} s, although ${this.#silentRequests} requests were sent`,
        ),
      );
    }
    this.#waiting.get(slot)?.settle({ kind: 'timeout' });
  }

  #end(error: LinkLost, byItself: boolean): void {
    if (this.#over) return;
    this.#over = error;
    this.#port.isOpen = false;
    for (const waiting of [...this.#waiting.values()]) waiting.settle({ kind: 'lost', error, sent: true });
    if (byItself) this.#options.lost(error);
  }
}

function outcomeOf(error: Error & { modbusCode?: number }): Outcome<never> {
  if (error.modbusCode !== undefined) return { kind: 'exception', code: error.modbusCode };
  return { kind: 'garbled', detail: `the answer does not fit the request: ${messageOf(error)}` };
}
