/** A session's questions: what stands in their places, and how long they may take. */
import type { Device } from '../../src/contract/device.ts';
import { formatDurationMs } from '../../src/contract/duration.ts';
import type { Address } from './address.ts';
import type { Frame } from './frame.ts';
import { type MatchText, type Places, usesPlace } from './match.ts';
import type { Sent } from './sending.ts';
import type { ConnectionOptions, DeviceOptions } from './settings.ts';
import type { Outcome, Wire } from './wire.ts';

/** A connection's share of a port. */
export interface SerialLine {
  options: ConnectionOptions;
  devices: readonly Device<DeviceOptions, Address>[];
}

export interface Asked<T> {
  /** What a frame means as the answer; undefined if it is none. Absent: nothing is waited for. */
  accept?: ((frame: Frame) => T | undefined) | undefined;
  unit: string;
  isNumbered: boolean;
}

export class Asking {
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #ids: ReadonlyMap<string, string | undefined>;
  readonly #closing: AbortSignal;

  constructor(wire: Wire, { options, devices }: SerialLine, closing: AbortSignal) {
    this.#wire = wire;
    this.#options = options;
    this.#ids = new Map(devices.map(({ id, address }) => [id, address.id]));
    this.#closing = closing;
  }

  /** For people. */
  get timeout(): string {
    return formatDurationMs(this.#options.timeout);
  }

  idOf(device: string): string | undefined {
    return this.#ids.get(device);
  }

  /** A request that bears a number gets the next one. */
  placesOf(device: string, texts: readonly (Sent | MatchText | undefined)[]): Places {
    const isNumbered = texts.some((text) => usesPlace(text, 'sequence'));
    return { id: this.idOf(device), sequence: isNumbered ? this.#wire.nextSequence() : undefined };
  }

  ask<T>(bytes: Buffer, { accept, unit, isNumbered }: Asked<T>, signal: AbortSignal): Promise<Outcome<T>> {
    const { timeout, requestDelay } = this.#options;
    const both = AbortSignal.any([signal, this.#closing]);
    return this.#wire.ask({ bytes, unit, isNumbered, ...(accept && { accept }), timeoutMs: timeout, restMs: requestDelay }, both);
  }
}
