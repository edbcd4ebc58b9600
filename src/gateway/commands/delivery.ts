/** From `queued` to the far end's answer: waiting for its turn, the comparison it asks for, the write itself (DESIGN §8). */
import type { Clock } from '../../contract/clock.ts';
import type { CommandState } from '../../contract/command.ts';
import type { Answer, Session } from '../../contract/driver.ts';
import { formatDurationMs } from '../../contract/duration.ts';
import { Fault, messageOf } from '../../contract/fault.ts';
import type { Link } from '../link.ts';

export interface Delivery {
  link: Link;
  unit: string;
  /** What it is, for people who look at the bus. */
  text: string;
  expiresMs: number;
  /** Resolves when the commands before it have been sent. */
  turn: Promise<void>;
  /** Throws a `Fault` if the command must not be sent after all. Runs when the turn has come. */
  compare(signal: AbortSignal): Promise<void>;
  send(session: Session, signal: AbortSignal): Promise<Answer>;
  /** The bytes are about to leave. */
  sent(): void;
  /** Aborted when the gateway stops. */
  closing: AbortSignal;
}

/** `fault` is for the caller: it was never sent. */
export interface Delivered {
  state: CommandState;
  detail?: string;
  fault?: Fault;
}

/** Never rejects: whatever happens is an outcome. */
export async function deliver(clock: Clock, delivery: Delivery): Promise<Delivered> {
  const expiry = new AbortController();
  const cancel = clock.after(delivery.expiresMs, () => expiry.abort(new Error(`not sent within ${formatDurationMs(delivery.expiresMs)}`)));
  const signal = AbortSignal.any([expiry.signal, delivery.closing]);
  let isSent = false;
  try {
    await unlessAborted(delivery.turn, signal);
    await delivery.compare(signal);
    const answer = await delivery.link.ask({
      unit: delivery.unit,
      priority: 'command',
      text: delivery.text,
      signal,
      call: (session, life) => {
        isSent = true;
        cancel();
        delivery.sent();
        return delivery.send(session, life);
      },
      answered: (said) => (said.state === 'not-sent' ? undefined : said.state !== 'unknown'),
    });
    return outcomeOf(answer, delivery.link);
  } catch (error) {
    if (error instanceof Fault && !isSent) return { state: 'rejected', detail: error.message, fault: error };
    return isSent ? { state: 'unknown', detail: messageOf(error) } : { state: 'expired', detail: `nothing was sent: ${messageOf(error)}` };
  } finally {
    cancel();
  }
}

function outcomeOf(answer: Answer, link: Link): Delivered {
  const detail = answer.detail === undefined ? {} : { detail: answer.detail };
  switch (answer.state) {
    case 'acknowledged':
      return { state: 'acknowledged', ...detail };
    case 'refused':
      return { state: 'failed', ...detail };
    case 'unknown':
      return { state: 'unknown', ...detail };
    case 'not-sent':
      // With the link up the driver did not want it; with the link down it could not.
      return { state: link.downBecause === undefined ? 'rejected' : 'expired', ...detail };
  }
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
