/** Requests and what became of them: one record a request, holding its deadline, gone on every way out. */
import type { Discard, Traffic } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { Endpoint, type EndpointOptions } from './endpoint.ts';
import { exceptionBit } from './exceptions.ts';
import { FrameLog } from './frame-log.ts';
import type { Frame, Overdue, Turn } from './link.ts';
import { Transactions } from './transactions.ts';

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

export interface ClientOptions extends EndpointOptions {
  timeoutMs: number;
  requestDelayMs: number;
  traffic?: ((message: Traffic) => void) | undefined;
  /** Counts what came and was thrown away. */
  discarded?: ((why: Discard) => void) | undefined;
  /** Once, when the link breaks by itself. */
  lost(error: LinkLost): void;
}

interface Waiting {
  /** Unit and PDU. */
  request: Buffer;
  /** `answered` is false if an answer may still come. */
  settle(outcome: Outcome<Buffer>, answered: boolean): void;
}

export class Client {
  readonly #options: ClientOptions;
  readonly #endpoint: Endpoint;
  readonly #log: FrameLog;
  readonly #transactions = new Transactions<Waiting>();
  #over: LinkLost | undefined;
  #quietUntilMs = 0;

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#log = new FrameLog(options.traffic);
    this.#endpoint = new Endpoint(
      options,
      {
        frame: (frame) => this.#take(frame),
        damaged: (transaction, bytes) => {
          this.#log.fault(bytes, 'the checksum is wrong');
          this.discard('checksum');
          this.#transactions.find(transaction)?.settle({ kind: 'crc', detail: 'the checksum of the answer is wrong' }, true);
        },
        stray: (bytes, why, discard) => {
          this.#log.fault(bytes, why);
          this.discard(discard);
        },
        lost: (error) => this.#end(error, true),
      },
      () => this.#transactions.size > 0,
    );
  }

  static async open(options: ClientOptions, signal: AbortSignal): Promise<Client> {
    const client = new Client(options);
    await client.#endpoint.open(signal);
    return client;
  }

  /**
   * Sends `request` (unit and PDU) and answers with the PDU that came: of the unit and the function that were asked, no exception; what else is in it
   * has to be looked at. Never rejects.
   */
  async request(request: Buffer, signal: AbortSignal, awaitsAnswer = true): Promise<Outcome<Buffer>> {
    this.#endpoint.begin();
    try {
      // Made only where something is waited for: it costs as much as a request on a fast link.
      const either = () => AbortSignal.any([signal, this.#endpoint.closing]);
      let turn: Turn | undefined;
      try {
        if (!this.#endpoint.link && !this.#over) await this.#endpoint.reopen(either());
        if (this.#options.requestDelayMs > 0) await this.#rest(either());
        if (this.#endpoint.link?.turn) turn = await this.#endpoint.link.turn(either());
      } catch (error) {
        if (this.#over) return { kind: 'lost', error: this.#over, sent: false };
        return { kind: 'aborted', reason: signal.reason ?? error, sent: false };
      }
      if (turn?.noise !== undefined) {
        turn.end(true);
        return { kind: 'noise', detail: turn.noise };
      }
      return await this.#exchange(request, signal, awaitsAnswer, turn);
    } finally {
      this.#endpoint.end();
    }
  }

  #exchange(request: Buffer, signal: AbortSignal, awaitsAnswer: boolean, turn: Turn | undefined): Promise<Outcome<Buffer>> {
    const nothing = (outcome: Outcome<Buffer>) => {
      turn?.end(true);
      return Promise.resolve(outcome);
    };
    // Looked at after the pauses: an abort during them fires before anyone listens.
    if (signal.aborted) return nothing({ kind: 'aborted', reason: signal.reason, sent: false });
    if (this.#over) return nothing({ kind: 'lost', error: this.#over, sent: false });
    const transaction = this.#transactions.take();
    if (transaction === undefined) throw new Error(`more than ${limits.modbusInFlightMax} requests at once`);
    const { clock, timeoutMs, requestDelayMs } = this.#options;
    return new Promise((resolve) => {
      let cancelDeadline = () => {};
      const waiting: Waiting = {
        request,
        settle: (outcome, answered) => {
          if (this.#transactions.find(transaction) !== waiting) return;
          cancelDeadline();
          signal.removeEventListener('abort', abort);
          this.#transactions.end(transaction, answered);
          if (requestDelayMs > 0) this.#quietUntilMs = clock.monotonicMs() + requestDelayMs;
          turn?.end(answered);
          resolve(outcome);
        },
      };
      const abort = () => waiting.settle({ kind: 'aborted', reason: signal.reason, sent: true }, false);
      this.#transactions.begin(transaction, waiting);
      const sent = this.#endpoint.link?.send(transaction, request, awaitsAnswer);
      if (!sent) {
        waiting.settle({ kind: 'lost', error: new LinkLost('the link broke before the request was sent'), sent: false }, true);
        return;
      }
      // A link that breaks while it is written to has ended everything already.
      if (this.#transactions.find(transaction) !== waiting) return;
      signal.addEventListener('abort', abort);
      this.#log.sent(sent.bytes, request);
      if (awaitsAnswer) cancelDeadline = clock.after(timeoutMs + sent.wireMs, () => waiting.settle(this.#overdue(), false));
      // Nobody answers a broadcast: the time all units need to do it takes the answer's place.
      else cancelDeadline = clock.after(limits.modbusBroadcastMs + sent.wireMs, () => waiting.settle({ kind: 'broadcast' }, true));
    });
  }

  /** Counts an answer that turned out not to be one; what can be seen without looking into it counts itself. */
  discard(why: Discard): void {
    this.#options.discarded?.(why);
  }

  /** Never rejects. What waits ends as lost. */
  close(): Promise<void> {
    this.#end(new LinkLost('the session was closed'), false);
    return this.#endpoint.close();
  }

  /** The quiet time devices may ask for between an answer and the next request. */
  async #rest(signal: AbortSignal): Promise<void> {
    const restMs = this.#quietUntilMs - this.#options.clock.monotonicMs();
    // Cut short by an abort or by close; both are looked at by the caller.
    if (restMs > 0) await this.#options.clock.sleep(restMs, signal).catch(() => {});
  }

  #take(frame: Frame): void {
    const { transaction, unitId, pdu, bytes } = frame;
    const isLate = this.#transactions.heard(transaction);
    const waiting = this.#transactions.find(transaction);
    if (!waiting) {
      this.#log.fault(bytes, isLate ? 'an answer that comes too late' : 'an answer nobody waits for: twice, or invented', unitId);
      this.discard(isLate ? 'late' : 'transaction');
      return;
    }
    const [askedUnit, asked = 0] = waiting.request;
    const [said = 0] = pdu;
    const isForeign = unitId !== askedUnit;
    if (isForeign || said % exceptionBit !== asked) {
      const foreign = isForeign ? `unit ${unitId} answered, unit ${askedUnit} was asked` : `answers function ${said}, ${asked} was asked`;
      this.#log.fault(bytes, foreign, unitId);
      this.discard(isForeign ? 'unit' : 'function');
      waiting.settle({ kind: 'garbled', detail: foreign }, true);
      return;
    }
    this.#log.answered(bytes, waiting.request, pdu);
    if (said === asked) waiting.settle({ kind: 'answer', answer: pdu }, true);
    else if (pdu.length === 2) waiting.settle({ kind: 'exception', code: pdu[1] ?? 0 }, true);
    else {
      this.discard('length');
      waiting.settle({ kind: 'garbled', detail: `the answer does not fit the request: an exception of ${pdu.length} bytes` }, true);
    }
  }

  #overdue(): Overdue {
    return this.#endpoint.link?.overdue() ?? { kind: 'timeout' };
  }

  #end(error: LinkLost, byItself: boolean): void {
    if (this.#over) return;
    this.#over = error;
    for (const waiting of this.#transactions.all()) waiting.settle({ kind: 'lost', error, sent: true }, true);
    if (byItself) this.#options.lost(error);
  }
}
