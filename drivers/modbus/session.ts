/** One open Modbus endpoint: reads planned blocks, writes single points, finds out what is there. */
import type { ActionConfig, Device } from '../../src/contract/device.ts';
import type { Answer, Host, PlannedRequest, Reading, Session, Survey } from '../../src/contract/driver.ts';
import type { Value } from '../../src/contract/sample.ts';
import { act, actionOf } from './action.ts';
import type { Address } from './address.ts';
import type { Client } from './client.ts';
import { Learned } from './learned.ts';
import { type Devices, type ModbusPoint, type ModbusRequest, planReads, type WireMs } from './plan.ts';
import { probe } from './probe.ts';
import { Reader } from './reader.ts';
import { scan } from './scan.ts';
import type { DeviceOptions } from './settings.ts';
import type { ProbeOptions, ScanOptions } from './survey-settings.ts';
import { Writer } from './writer.ts';

export interface SessionDeps {
  client: Client;
  /** The line's own list, which the host changes when settings change while the link stays open. */
  devices: readonly Device<DeviceOptions, Address>[];
  host: Host;
  timeoutMs: number;
  wireMs: WireMs;
}

export class ModbusSession implements Session<Address> {
  readonly #deps: SessionDeps;
  readonly #learned: Learned;
  readonly #reader: Reader;
  readonly #writer: Writer;

  constructor(deps: SessionDeps) {
    const { client, host, timeoutMs } = deps;
    this.#deps = deps;
    this.#learned = new Learned(host.memory, host.clock);
    this.#reader = new Reader({
      client,
      timeoutMs,
      clock: host.clock,
      learned: this.#learned,
      devices: () => this.#devices(),
      replan: () => host.replan?.(),
    });
    this.#writer = new Writer({ client, reader: this.#reader, timeoutMs });
  }

  #devices(): Devices {
    return new Map(this.#deps.devices.map((device) => [device.id, device]));
  }

  plan(points: readonly ModbusPoint[]): ModbusRequest[] {
    return planReads(points, this.#devices(), this.#learned, this.#deps.wireMs);
  }

  read(planned: PlannedRequest<Address>, signal: AbortSignal): Promise<Reading<Address>[]> {
    return this.#reader.read(planned as ModbusRequest, signal);
  }

  async write(point: ModbusPoint, value: Value, signal: AbortSignal): Promise<Answer> {
    const device = this.#deps.devices.find(({ id }) => id === point.device);
    return device ? await this.#writer.write(device.address, point.address, value, signal) : notHere(point.device);
  }

  async act({ id }: Device, action: ActionConfig, parameters: Record<string, unknown>, signal: AbortSignal): Promise<Answer> {
    const device = this.#deps.devices.find((one) => one.id === id);
    return device ? await act(this.#writer, device.address, actionOf(action), parameters, signal) : notHere(id);
  }

  probe(options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    return probe(this.#reader, options as ProbeOptions, survey, signal);
  }

  scan(options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    return scan(this.#reader, options as ScanOptions, survey, signal);
  }

  close(): Promise<void> {
    return this.#deps.client.close();
  }
}

function notHere(device: string): Answer {
  return { state: 'not-sent', detail: `device ${device} is not on this line` };
}
