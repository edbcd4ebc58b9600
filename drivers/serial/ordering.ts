/** What is sent to have something done, and what its answer means. */
import type { Answer } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import type { Asking } from './asking.ts';
import { ErrorQueue, type ErrorQueueOptions } from './error-queue.ts';
import type { Frame } from './frame.ts';
import { compileMatch, type MatchText, type Places, showFrame, usesPlace } from './match.ts';
import type { Sent } from './sending.ts';
import type { Spelling } from './template.ts';

/** What is sent to have something done, and the lines that say yes and no. */
interface Order {
  bytes: Buffer;
  places: Places;
  ack: MatchText | undefined;
  nak: MatchText | undefined;
}

export class Ordering {
  readonly #asking: Asking;
  readonly #errorQueue: ErrorQueue | undefined;

  constructor(asking: Asking, errorQueue: ErrorQueueOptions | undefined, spelling: Spelling) {
    this.#asking = asking;
    this.#errorQueue = errorQueue && new ErrorQueue(errorQueue, asking, spelling);
  }

  async order(
    unit: string,
    texts: readonly (Sent | MatchText | undefined)[],
    prepare: (places: Places) => Omit<Order, 'places'>,
    signal: AbortSignal,
  ): Promise<Answer> {
    let order: Order;
    try {
      const places = this.#asking.placesOf(unit, texts);
      order = { ...prepare(places), places };
    } catch (error) {
      return { state: 'not-sent', detail: messageOf(error) };
    }
    const queue = this.#errorQueue;
    if (!queue) return await this.#send(order, unit, signal);
    // What went wrong before is not this command's.
    const before = await queue.empty(unit, signal);
    if (before.fault !== undefined) return { state: 'not-sent', detail: before.fault };
    const answer = await this.#send(order, unit, signal);
    if (answer.state !== 'acknowledged') return answer;
    const after = await queue.empty(unit, signal);
    if (after.fault !== undefined) return { state: 'unknown', detail: `sent, but ${after.fault}` };
    return after.errors.length === 0
      ? { state: 'acknowledged' }
      : { state: 'refused', detail: `the device's error queue says ${after.errors.join('; ')}` };
  }

  async #send(order: Order, unit: string, signal: AbortSignal): Promise<Answer> {
    const { bytes, places } = order;
    const [ack, nak] = [order.ack, order.nak].map((text) => (text === undefined ? undefined : compileMatch(text)));
    const accept = (frame: Frame): Answer | undefined => {
      if (nak?.find(frame, places)) return { state: 'refused', detail: `the device said ${showFrame(frame)}` };
      return ack?.find(frame, places) ? { state: 'acknowledged' } : undefined;
    };
    const isNumbered = usesPlace(order.ack, 'sequence');
    const outcome = await this.#asking.ask(bytes, { accept: ack || nak ? accept : undefined, unit, isNumbered }, signal);
    switch (outcome.kind) {
      case 'answer':
        return outcome.answer ?? { state: 'acknowledged', detail: 'sent; the device confirms nothing' };
      case 'timeout':
        return { state: 'unknown', detail: `sent ${showBytes(bytes)}, and no line said yes or no in ${this.#asking.timeout}` };
      case 'lost':
        return { state: outcome.sent ? 'unknown' : 'not-sent', detail: outcome.error.message };
      case 'aborted':
        return { state: outcome.sent ? 'unknown' : 'not-sent', detail: messageOf(outcome.reason) };
    }
  }
}

function showBytes(bytes: Buffer): string {
  return showFrame({ bytes, text: bytes.toString() });
}
