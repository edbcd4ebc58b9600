/** A connection's share of a serial port: asks, listens, sets, acts. */
import type { ActionConfig, Device, Point } from '../../src/contract/device.ts';
import type { Answer, Host, PlannedRequest, Reading, Session, Sink, Survey } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Taken } from '../../src/contract/pattern.ts';
import type { Value } from '../../src/contract/sample.ts';
import { actionOf, bytesOfAction } from './action.ts';
import type { Address } from './address.ts';
import { Asking, type SerialLine } from './asking.ts';
import { createDecoder, type Decoder, readValue } from './decoder.ts';
import type { Frame } from './frame.ts';
import { Listening } from './listening.ts';
import { type Places, usesPlace } from './match.ts';
import { Ordering } from './ordering.ts';
import { fill, fillRequest, type Sent } from './sending.ts';
import type { ConnectionOptions } from './settings.ts';
import { listPorts } from './survey/list.ts';
import { listenOnly } from './survey/probe.ts';
import type { ProbeOptions } from './survey/settings.ts';
import type { Wire } from './wire.ts';

type SerialPoint = Point<Address>;

interface Found {
  frame: Frame;
  groups: Taken;
}

export class SerialSession implements Session<Address> {
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #asking: Asking;
  readonly #ordering: Ordering;
  readonly #host: Host;
  readonly #leave: () => Promise<void>;
  readonly #closing = new AbortController();
  readonly #decoders = new WeakMap<Address, Decoder>();

  constructor(wire: Wire, line: SerialLine, host: Host, leave: () => Promise<void>) {
    this.#wire = wire;
    this.#options = line.options;
    this.#asking = new Asking(wire, line, this.#closing.signal);
    this.#ordering = new Ordering(this.#asking, line.options.errorQueue, wire.spelling);
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
      return { unit: device, text: `ask ${device} ${showSent(address?.request ?? '')}`, points: same, detail: undefined };
    });
  }

  async read({ points, unit }: PlannedRequest<Address>, signal: AbortSignal): Promise<Reading<Address>[]> {
    const [first] = points;
    if (first?.address.request === undefined) return [];
    const { request, reply } = first.address;
    const places = this.#asking.placesOf(first.device, [request, reply]);
    const accept = (frame: Frame): Found | undefined => {
      // Without an expression, the reply is the frame that any of the points finds its value in.
      for (const point of reply === undefined ? points : [first]) {
        const groups = this.#decoderOf(point.address).choose(frame, places);
        if (groups) return { frame, groups };
      }
      return undefined;
    };
    const isNumbered = usesPlace(reply, 'sequence');
    const outcome = await this.#asking.ask(fillRequest(request, places, this.#wire.spelling), { accept, unit, isNumbered }, signal);
    switch (outcome.kind) {
      case 'answer': {
        const { frame, groups } = outcome.answer;
        return points.map((point) => ({ point, ...readValue(point.address, this.#decoderOf(point.address), frame, groups) }));
      }
      case 'timeout':
        return points.map((point) => ({ point, value: null, ...this.#whyNone(outcome.damaged) }));
      case 'lost':
        throw outcome.error;
      case 'aborted':
        throw outcome.reason;
    }
  }

  async listen(points: readonly SerialPoint[], sink: Sink<Address>, signal: AbortSignal): Promise<void> {
    const listening = new Listening(points, sink, (point) => ({
      decoder: this.#decoderOf(point.address),
      id: this.#asking.idOf(point.device),
    }));
    const hear = (frames: readonly Frame[]) => listening.hear(frames);
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

  async write({ device, address: { set, decimal } }: SerialPoint, value: Value, signal: AbortSignal): Promise<Answer> {
    if (!set) return { state: 'not-sent', detail: 'the point has no "set" in its address, so nothing can be sent to it' };
    const spelling = { ...this.#wire.spelling, decimal };
    const prepare = (places: Places) => ({ bytes: fill(set.send, { value }, places, spelling), ack: set.ack, nak: set.nak });
    return await this.#ordering.order(device, [set.send, set.ack], prepare, signal);
  }

  async act(device: Device, action: ActionConfig, parameters: Record<string, unknown>, signal: AbortSignal): Promise<Answer> {
    const meant = actionOf(action);
    const { send, ack, nak } = meant;
    const prepare = (places: Places) => ({ bytes: bytesOfAction(meant, parameters, places, this.#wire.spelling), ack, nak });
    return await this.#ordering.order(device.id, [send, ack], prepare, signal);
  }

  async probe(options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    await listenOnly(
      this.#wire,
      this.#options,
      this.#host.clock,
      options as ProbeOptions,
      survey,
      AbortSignal.any([signal, this.#closing.signal]),
    );
  }

  async scan(_options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    await listPorts(survey, signal);
  }

  close(): Promise<void> {
    this.#closing.abort(new LinkLost('the session was closed'));
    return this.#leave();
  }

  #whyNone(damaged: number): Pick<Reading, 'reason' | 'detail' | 'again'> {
    const { retries } = this.#options;
    const again = retries > 0 && { again: { afterMs: 0, times: retries } };
    if (damaged === 0) return { reason: 'timeout', detail: `no reply in ${this.#asking.timeout}`, ...again };
    return {
      ...again,
      reason: 'crc',
      detail: `no reply in ${this.#asking.timeout} but ${damaged === 1 ? 'a frame' : `${damaged} frames`} whose checksum does not fit`,
    };
  }

  #decoderOf(address: Address): Decoder {
    let decoder = this.#decoders.get(address);
    if (!decoder) {
      decoder = createDecoder(address, this.#options.encoding);
      this.#decoders.set(address, decoder);
    }
    return decoder;
  }
}

function showSent(sent: Sent): string {
  return typeof sent === 'string'
    ? JSON.stringify(sent.trimEnd().slice(0, limits.serialShownMax))
    : sent.hex.slice(0, limits.serialShownMax);
}
