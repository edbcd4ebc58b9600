/** The link to a far end: opened, let go when nobody asks (if so wished), opened again for the next request. */
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Link, LinkEvents } from './link.ts';

export interface EndpointOptions {
  connect(events: LinkEvents, signal: AbortSignal): Promise<Link>;
  /** After opening, each time. */
  connectDelayMs: number;
  /** Lets the link go when nobody asks, and opens it again for the next request. */
  closeWhenIdle: boolean;
  clock: Clock;
}

export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #events: LinkEvents;
  /** True while a request waits for its answer. */
  readonly #isWaitedOn: () => boolean;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  /** The link is being opened again after it was let go. */
  #opening: Promise<void> | undefined;
  #cancelIdle = () => {};
  #using = 0;

  /** `events.lost` is said when the link breaks by itself, or cannot be opened again. */
  constructor(options: EndpointOptions, events: LinkEvents, isWaitedOn: () => boolean) {
    this.#options = options;
    this.#events = events;
    this.#isWaitedOn = isWaitedOn;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** Aborted by `close`. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Rejects with what went wrong, in words. */
  async open(signal: AbortSignal): Promise<void> {
    const { closeWhenIdle, connect, connectDelayMs, clock } = this.#options;
    let gone: LinkLost | undefined;
    let link: Link | undefined;
    const lost = (error: LinkLost) => {
      gone = error;
      if (!link || this.#link !== link) return;
      // Who lets go between polls does not mind if the other end is faster.
      if (closeWhenIdle && !this.#isWaitedOn()) this.#letGo();
      else this.#events.lost(error);
    };
    link = await connect({ ...this.#events, lost }, signal);
    try {
      if (connectDelayMs > 0) await clock.sleep(connectDelayMs, signal);
      signal.throwIfAborted();
      if (gone) throw gone;
    } catch (error) {
      await link.close();
      throw error;
    }
    this.#link = link;
  }

  /** Opens it again after it was let go. Rejects with the signal's reason only; whether there is a link now has to be looked at. */
  async reopen(signal: AbortSignal): Promise<void> {
    this.#opening ??= this.open(this.#closing.signal)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#events.lost(new LinkLost(messageOf(error), { cause: error }));
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
  }

  /** Somebody asks. */
  begin(): void {
    this.#using += 1;
    this.#cancelIdle();
  }

  /** The same has done. */
  end(): void {
    this.#using -= 1;
    if (this.#using > 0 || !this.#options.closeWhenIdle || this.#closing.signal.aborted) return;
    this.#cancelIdle = this.#options.clock.after(limits.modbusIdleCloseMs, () => this.#letGo());
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the session was closed'));
    this.#cancelIdle();
    await this.#opening;
    await this.#link?.close();
  }

  #letGo(): void {
    const link = this.#link;
    this.#link = undefined;
    void link?.close();
  }
}
