/** One open Modbus endpoint: reads planned blocks, writes single points. */

import type { Clock } from '../../src/contract/clock.ts';
import type { Device } from '../../src/contract/device.ts';
import type { Answer, PlannedRequest, Reading, Session } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Reason, Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import type { Client, Outcome } from './client.ts';
import { decodeBit, decodeRegisters } from './decode.ts';
import { exceptionText } from './exceptions.ts';
import { type Block, isBits, type ModbusPoint, type ModbusRequest, planApart, planReads } from './plan.ts';
import type { DeviceOptions } from './settings.ts';
import { writeRequest } from './write.ts';

const illegalAddress = 2;
const illegalValue = 3;
const acknowledge = 5;
const targetSilent = 11;

export class ModbusSession implements Session<Address> {
  readonly #client: Client;
  /** The line's own list, which the host changes when settings change while the link stays open. */
  readonly #devices: readonly Device<DeviceOptions, Address>[];
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor(client: Client, devices: readonly Device<DeviceOptions, Address>[], timeoutMs: number, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
    this.#devices = devices;
    this.#timeoutMs = timeoutMs;
  }

  plan(points: readonly ModbusPoint[]): ModbusRequest[] {
    return planReads(points, new Map(this.#devices.map((device) => [device.id, device])));
  }

  async read(planned: PlannedRequest<Address>, signal: AbortSignal): Promise<Reading<Address>[]> {
    const request = planned as ModbusRequest;
    const outcome = await this.#readBlock(request.detail, signal);
    const placeRefused = outcome.kind === 'exception' && (outcome.code === illegalAddress || outcome.code === illegalValue);
    const apart = placeRefused ? planApart(request) : [];
    return apart.length > 1 ? await this.#readApart(apart, outcome, signal) : this.#readings(request, outcome);
  }

  /** One undefined register makes a device refuse the whole block: its neighbours are asked for by themselves, in the same call. */
  async #readApart(requests: readonly ModbusRequest[], refusal: Outcome<Buffer>, signal: AbortSignal): Promise<Reading<Address>[]> {
    const readings: Reading<Address>[] = [];
    const endMs = this.#clock.monotonicMs() + limits.modbusApartMs;
    let outcome = refusal;
    for (const request of requests) {
      // After one silence the rest is not tried: the call must not take a timeout for every point.
      const silent = outcome.kind === 'timeout';
      const over = this.#clock.monotonicMs() > endMs;
      if (!silent) outcome = over ? refusal : await this.#readBlock(request.detail, signal);
      readings.push(...this.#readings(request, outcome));
    }
    return readings;
  }

  async #readBlock({ unitId, table, start, count }: Block, signal: AbortSignal): Promise<Outcome<Buffer>> {
    const outcome = await this.#client.request<{ buffer: Buffer }>((library, done) => {
      switch (table) {
        case 'coil':
          return library.writeFC1(unitId, start, count, done);
        case 'discrete':
          return library.writeFC2(unitId, start, count, done);
        case 'holding':
          return library.writeFC3(unitId, start, count, done);
        case 'input':
          return library.writeFC4(unitId, start, count, done);
      }
    }, signal);
    if (outcome.kind !== 'answer') return outcome;
    const { buffer } = outcome.answer;
    const expected = isBits(table) ? Math.ceil(count / 8) : count * 2;
    // The library believes the byte count inside the answer.
    if (buffer.length !== expected)
      return { kind: 'garbled', detail: `the answer holds ${buffer.length} bytes of data, ${expected} were asked for` };
    return { kind: 'answer', answer: buffer };
  }

  #readings(request: ModbusRequest, outcome: Outcome<Buffer>): Reading<Address>[] {
    const bad = (reason: Reason, detail: string) => request.points.map((point) => ({ point, value: null, reason, detail }));
    switch (outcome.kind) {
      case 'answer':
        return request.points.map((point) => ({ point, value: pointValue(point, request.detail, outcome.answer), reason: '' }));
      case 'exception':
        return bad(`exception-${outcome.code}`, exceptionText(outcome.code));
      case 'timeout':
        return bad('timeout', this.#silence(outcome.detail));
      case 'crc':
      case 'noise':
        return bad('crc', outcome.detail);
      case 'garbled':
        return bad('decode', outcome.detail);
      case 'lost':
        throw outcome.error;
      case 'aborted':
        throw outcome.reason;
    }
  }

  async write(point: ModbusPoint, value: Value, signal: AbortSignal): Promise<Answer> {
    const unitId = this.#devices.find((device) => device.id === point.device)?.address.unitId;
    if (unitId === undefined) return { state: 'not-sent', detail: `device ${point.device} is not on this line` };
    let write: ReturnType<typeof writeRequest>;
    try {
      write = writeRequest(unitId, point.address, value);
    } catch (error) {
      return { state: 'not-sent', detail: messageOf(error) };
    }
    const outcome = await this.#client.request(write.send, signal);
    switch (outcome.kind) {
      case 'answer':
        return write.confirms(outcome.answer)
          ? { state: 'acknowledged' }
          : { state: 'unknown', detail: 'the device confirmed another write than was asked for' };
      case 'exception':
        if (outcome.code === acknowledge)
          return { state: 'acknowledged', detail: `${exceptionText(outcome.code)}: accepted, and under way` };
        // The gateway passed it on and heard nothing: the device may have done it.
        if (outcome.code === targetSilent) return { state: 'unknown', detail: exceptionText(outcome.code) };
        return { state: 'refused', detail: exceptionText(outcome.code) };
      case 'timeout':
        return { state: 'unknown', detail: this.#silence(outcome.detail) };
      case 'noise':
        return { state: 'not-sent', detail: outcome.detail };
      case 'crc':
      case 'garbled':
        return { state: 'unknown', detail: outcome.detail };
      case 'lost':
        return { state: outcome.sent ? 'unknown' : 'not-sent', detail: outcome.error.message };
      case 'aborted':
        return { state: outcome.sent ? 'unknown' : 'not-sent', detail: messageOf(outcome.reason) };
    }
  }

  #silence(detail?: string): string {
    return `no answer in ${this.#timeoutMs} ms${detail === undefined ? '' : `; ${detail}`}`;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

function pointValue({ address }: ModbusPoint, block: Block, bytes: Buffer): Value {
  const offset = address.register - block.start;
  if (isBits(address.table)) return decodeBit(bytes, offset);
  return decodeRegisters(address, bytes, offset * 2);
}
