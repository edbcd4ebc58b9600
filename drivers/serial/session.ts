/** A connection's share of a serial port: asks, listens, sets, acts. */
import type { ActionConfig, Device, Point } from '../../src/contract/device.ts';
import type { Answer, Host, PlannedRequest, Reading, Session, Sink } from '../../src/contract/driver.ts';
import { formatDurationMs } from '../../src/contract/duration.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { compilePattern } from '../../src/contract/pattern.ts';
import type { Value } from '../../src/contract/sample.ts';
import { actionOf, textOf } from './action.ts';
import { type Address, patternOf } from './address.ts';
import { Listening } from './listening.ts';
import type { ConnectionOptions } from './settings.ts';
import { compileTemplate, type Spelling } from './template.ts';
import { parseValue, quote } from './value.ts';
import type { Outcome, Wire } from './wire.ts';

type SerialPoint = Point<Address>;

/** What is sent to have something done, and the lines that say yes and no. */
interface Order {
  text: string;
  ack: string | undefined;
  nak: string | undefined;
}

export class SerialSession implements Session<Address> {
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #host: Host;
  readonly #leave: () => Promise<void>;
  readonly #closing = new AbortController();

  constructor(wire: Wire, options: ConnectionOptions, host: Host, leave: () => Promise<void>) {
    this.#wire = wire;
    this.#options = options;
    this.#host = host;
    this.#leave = leave;
  }

  /** Points that ask the same and read the same reply of one device share a request. */
  plan(points: readonly SerialPoint[]): PlannedRequest<Address>[] {
    const requests = new Map<string, SerialPoint[]>();
    for (const point of points) {
      const { request, reply } = point.address;
      if (request === undefined) continue;
      const key = JSON.stringify([point.device, request, reply]);
      const same = requests.get(key);
      if (same) same.push(point);
      else requests.set(key, [point]);
    }
    return Array.from(requests.values(), (same) => {
      const [{ device, address } = { device: '', address: undefined }] = same;
      const text = address?.request ?? '';
      return { unit: device, text: `ask ${device} ${quote(text.trimEnd())}`, points: same, detail: undefined };
    });
  }

  async read({ points }: PlannedRequest<Address>, signal: AbortSignal): Promise<Reading<Address>[]> {
    const [first] = points;
    if (first?.address.request === undefined) return [];
    const pattern = patternOf(first.address);
    const outcome = await this.#ask(first.address.request, (line) => pattern.find(line), signal);
    switch (outcome.kind) {
      case 'answer':
        return points.map((point) => ({ point, ...parseValue(outcome.answer[point.address.field ?? ''], point.address.type) }));
      case 'timeout':
        return points.map((point) => ({ point, value: null, reason: 'timeout', detail: `no reply in ${this.#timeout}` }));
      case 'lost':
        throw outcome.error;
      case 'aborted':
        throw outcome.reason;
    }
  }

  async listen(points: readonly SerialPoint[], sink: Sink<Address>, signal: AbortSignal): Promise<void> {
    const listening = new Listening(points, sink, this.#host.log);
    const hear = (line: string) => listening.hear(line);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => resolve();
    const wire = this.#wire;
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    if (ending.aborted) return;
    if (wire.over) throw wire.over;
    wire.listeners.add(hear);
    wire.losses.add(reject);
    ending.addEventListener('abort', stop, { once: true });
    try {
      await promise;
    } finally {
      wire.listeners.delete(hear);
      wire.losses.delete(reject);
      ending.removeEventListener('abort', stop);
    }
  }

  async write({ address: { set } }: SerialPoint, value: Value, signal: AbortSignal): Promise<Answer> {
    if (!set) return { state: 'not-sent', detail: 'the point has no "set" in its address, so nothing can be sent to it' };
    return await this.#order(
      () => ({ text: compileTemplate(set.send).fill({ value }, this.#spelling), ack: set.ack, nak: set.nak }),
      signal,
    );
  }

  async act(_device: Device, action: ActionConfig, parameters: Record<string, unknown>, signal: AbortSignal): Promise<Answer> {
    const serial = actionOf(action);
    return await this.#order(() => ({ text: textOf(serial, parameters, this.#spelling), ack: serial.ack, nak: serial.nak }), signal);
  }

  close(): Promise<void> {
    this.#closing.abort(new LinkLost('the session was closed'));
    return this.#leave();
  }

  get #spelling(): Spelling {
    return { delimiter: this.#options.framing.delimiter, encoding: this.#options.encoding };
  }

  get #timeout(): string {
    return formatDurationMs(this.#options.timeout);
  }

  #ask<T>(text: string, accept: ((line: string) => T | undefined) | undefined, signal: AbortSignal): Promise<Outcome<T>> {
    const { timeout, requestDelay } = this.#options;
    const both = AbortSignal.any([signal, this.#closing.signal]);
    return this.#wire.ask({ text, ...(accept && { accept }), timeoutMs: timeout, restMs: requestDelay }, both);
  }

  async #order(prepare: () => Order, signal: AbortSignal): Promise<Answer> {
    let order: Order;
    try {
      order = prepare();
    } catch (error) {
      return { state: 'not-sent', detail: messageOf(error) };
    }
    const [ack, nak] = [order.ack, order.nak].map((text) => (text === undefined ? undefined : compilePattern(text)));
    const accept = (line: string): Answer | undefined => {
      if (nak?.test(line)) return { state: 'refused', detail: `the device said ${quote(line)}` };
      return ack?.test(line) ? { state: 'acknowledged' } : undefined;
    };
    const outcome = await this.#ask(order.text, ack || nak ? accept : undefined, signal);
    switch (outcome.kind) {
      case 'answer':
        return outcome.answer ?? { state: 'acknowledged', detail: 'sent; the device confirms nothing' };
      case 'timeout':
        return { state: 'unknown', detail: `sent ${quote(order.text)}, and no line said yes or no in ${this.#timeout}` };
      case 'lost':
        return { state: outcome.sent ? 'unknown' : 'not-sent', detail: outcome.error.message };
      case 'aborted':
        return { state: outcome.sent ? 'unknown' : 'not-sent', detail: messageOf(outcome.reason) };
    }
  }
}
