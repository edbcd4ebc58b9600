/** Reads planned blocks; learns what a device refuses. */
import type { Clock } from '../../src/contract/clock.ts';
import type { Reading } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Reason, Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import type { Client, Outcome } from './client.ts';
import { decodeBit, decodeRegisters, scaled } from './decode.ts';
import { codes, exceptionText } from './exceptions.ts';
import type { Learned } from './learned.ts';
import { dataOf, readRequest } from './pdu.ts';
import { type Block, type Detail, type Devices, type ModbusPoint, type ModbusRequest, placeOf, planApart } from './plan.ts';
import { isBits } from './reference.ts';

export interface ReaderDeps {
  client: Client;
  clock: Clock;
  timeoutMs: number;
  learned: Learned;
  devices(): Devices;
  /** What was learned, or forgotten, changes the plan. */
  replan(): void;
}

/** What came of a block: the bytes, and those of the scale factors that lie elsewhere. */
interface Fetched {
  block: Block;
  bytes: Buffer;
  factors: ReadonlyMap<number, number>;
}

export class Reader {
  readonly #deps: ReaderDeps;
  #version: number;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
    this.#version = deps.learned.version;
  }

  async read(request: ModbusRequest, signal: AbortSignal): Promise<Reading<Address>[]> {
    const { learned, replan } = this.#deps;
    learned.forget();
    const readings = await this.#readWhole(request, signal);
    if (learned.version !== this.#version) {
      this.#version = learned.version;
      replan();
    }
    return readings;
  }

  /** The bytes of a block, as many as were asked for. */
  async block({ unitId, table, start, count }: Block, signal: AbortSignal): Promise<Outcome<Buffer>> {
    const outcome = await this.#deps.client.request(readRequest(unitId, table, start, count), signal);
    if (outcome.kind !== 'answer') return outcome;
    const bytes = isBits(table) ? Math.ceil(count / 8) : count * 2;
    const data = dataOf(outcome.answer, bytes);
    if (data) return { kind: 'answer', answer: data };
    this.#deps.client.discard('length');
    const came = Math.max(0, outcome.answer.length - 2);
    const said = outcome.answer[1] ?? 0;
    const lie = said === came ? '' : ` and says ${said}`;
    return {
      kind: 'garbled',
      detail: `the answer does not fit the request: it holds ${came} bytes of data${lie}, ${bytes} were asked for`,
    };
  }

  async #readWhole(request: ModbusRequest, signal: AbortSignal): Promise<Reading<Address>[]> {
    const outcome = await this.#fetch(request.detail, signal);
    const apart = isRefusal(outcome) ? planApart(request, this.#deps.devices()) : [];
    const isBlock = apart.length > 1 || (apart[0] !== undefined && apart[0].detail.count < request.detail.count);
    return isBlock ? await this.#readApart(request, apart, outcome, signal) : this.#readings(request, outcome);
  }

  async #fetch(detail: Detail, signal: AbortSignal): Promise<Outcome<Fetched>> {
    const factors = new Map<number, number>();
    for (const register of detail.factors) {
      const outcome = await this.block({ ...detail, start: register, count: 1 }, signal);
      if (outcome.kind !== 'answer') return outcome;
      factors.set(register, outcome.answer.readInt16BE(0));
    }
    const outcome = await this.block(detail, signal);
    return outcome.kind === 'answer' ? { kind: 'answer', answer: { block: detail, bytes: outcome.answer, factors } } : outcome;
  }

  /** One undefined register makes a device refuse the whole block: its neighbours are asked for by themselves, in the same call. */
  async #readApart(
    whole: ModbusRequest,
    requests: readonly ModbusRequest[],
    refusal: Outcome<Fetched>,
    signal: AbortSignal,
  ): Promise<Reading<Address>[]> {
    const readings: Reading<Address>[] = [];
    const endMs = this.#deps.clock.monotonicMs() + limits.modbusApartMs;
    const good: ModbusRequest[] = [];
    const bad: ModbusRequest[] = [];
    let outcome = refusal;
    for (const request of requests) {
      // After one silence the rest is not tried: the call must not take a timeout for every point.
      const silent = outcome.kind === 'timeout';
      const over = this.#deps.clock.monotonicMs() > endMs;
      if (!silent) outcome = over ? refusal : await this.#fetch(request.detail, signal);
      if (!silent && !over && outcome.kind === 'answer') good.push(request);
      if (!silent && !over && isRefusal(outcome)) bad.push(request);
      readings.push(...this.#readings(request, outcome));
    }
    this.#learn(whole.detail, requests, good, bad);
    return readings;
  }

  /** From a block that was refused, and what its points said one by one. */
  #learn(block: Block, all: readonly ModbusRequest[], good: readonly ModbusRequest[], bad: readonly ModbusRequest[]): void {
    const { learned } = this.#deps;
    const { unitId, table } = block;
    // Refused one and all, nothing is known of where the fault lies: the device may be starting up.
    if (good.length === 0) return;
    // Its points', not all of what was read on the way to them.
    for (const { points } of bad) for (const { address } of points) learned.refuse(unitId, table, placeOf(address));
    if (bad.length > 0 || good.length < all.length) return;
    // Each of them is well: what lies between them is not, or it was too much at once.
    const holes = holesOf(block, good);
    for (const hole of holes) learned.refuse(unitId, table, hole);
    if (holes.length === 0) learned.atMost(unitId, table, Math.max(...good.map(({ detail }) => detail.count), Math.ceil(block.count / 2)));
  }

  #readings(request: ModbusRequest, outcome: Outcome<Fetched>): Reading<Address>[] {
    const bad = (reason: Reason, detail: string, more: Partial<Reading<Address>> = {}) =>
      request.points.map((point) => ({ point, value: null, reason, detail, ...more }));
    switch (outcome.kind) {
      case 'answer':
        return request.points.map((point) => readingOf(point, outcome.answer));
      case 'exception': {
        const { again } = request.detail;
        const isPutOff = (outcome.code === codes.acknowledge || outcome.code === codes.busy) && again.times > 0;
        return bad(`exception-${outcome.code}`, exceptionText(outcome.code), isPutOff ? { again } : {});
      }
      case 'timeout':
        return bad('timeout', silenceWords(this.#deps.timeoutMs, outcome.detail));
      case 'crc':
      case 'noise':
        return bad('crc', outcome.detail);
      case 'garbled':
        return bad('decode', outcome.detail);
      case 'broadcast':
        return bad('timeout', 'nobody answers a broadcast');
      case 'lost':
        throw outcome.error;
      case 'aborted':
        throw outcome.reason;
    }
  }
}

export function silenceWords(timeoutMs: number, detail?: string): string {
  return `no answer in ${timeoutMs} ms${detail === undefined ? '' : `; ${detail}`}`;
}

function isRefusal(outcome: Outcome<unknown>): boolean {
  return outcome.kind === 'exception' && (outcome.code === codes.illegalAddress || outcome.code === codes.illegalValue);
}

/** Places of the block that no point needs. */
function holesOf(block: Block, requests: readonly ModbusRequest[]): { start: number; end: number }[] {
  const needed = requests
    .flatMap(({ detail }) => [
      { start: detail.start, end: detail.start + detail.count },
      ...detail.factors.map((register) => ({ start: register, end: register + 1 })),
    ])
    .toSorted((a, b) => a.start - b.start);
  const holes: { start: number; end: number }[] = [];
  let until = block.start;
  for (const { start, end } of needed) {
    if (start > until) holes.push({ start: until, end: start });
    until = Math.max(until, end);
  }
  return holes;
}

function readingOf(point: ModbusPoint, { block, bytes, factors }: Fetched): Reading<Address> {
  const { address } = point;
  const offset = address.register - block.start;
  if (isBits(address.table)) return { point, value: decodeBit(bytes, offset), reason: '' };
  let value: Value;
  try {
    value = decodeRegisters(address, bytes, offset * 2);
  } catch (error) {
    return { point, value: null, reason: 'decode', detail: messageOf(error) };
  }
  if (address.scaleFactor === undefined) return { point, value, reason: '' };
  const power = factors.get(address.scaleFactor) ?? bytes.readInt16BE((address.scaleFactor - block.start) * 2);
  return { point, ...scaledReading(point, value, power) };
}

/** What stands for "no value" is meant of the register, not of what the factor makes of it: so it is looked at here. */
function scaledReading(point: ModbusPoint, raw: Value, power: number): Omit<Reading<Address>, 'point'> {
  if (typeof raw !== 'number' && typeof raw !== 'bigint') return { value: null, reason: 'decode', detail: 'is no number' };
  if (point.invalid.some((sentinel) => isSame(sentinel, raw)))
    return { value: null, reason: 'sentinel', detail: `the device says ${raw}: no value` };
  const result = scaled(raw, power);
  return 'value' in result ? { value: result.value, reason: '' } : { value: null, ...result };
}

function isSame(sentinel: number | string | boolean, raw: number | bigint): boolean {
  if (typeof sentinel === 'boolean' || (typeof sentinel === 'string' && !/^-?(0x[0-9a-f]+|\d+)$/i.test(sentinel))) return false;
  return Number.isInteger(sentinel) || typeof sentinel === 'string' ? BigInt(sentinel) === BigInt(raw) : false;
}
