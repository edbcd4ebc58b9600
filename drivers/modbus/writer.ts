/** Writes values to their places, and says what the device answered. */
import type { Answer } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import type { Client, Outcome } from './client.ts';
import { factorMax } from './decode.ts';
import { encodePart } from './encode.ts';
import { codes, exceptionText } from './exceptions.ts';
import { type Reader, silenceWords } from './reader.ts';
import type { DeviceOptions } from './settings.ts';
import { confirms, modified, type WriteRequest, writeRegisters, writeRequest } from './write.ts';

export interface WriterDeps {
  client: Client;
  reader: Reader;
  timeoutMs: number;
}

export class Writer {
  readonly #deps: WriterDeps;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
  }

  /** Sends the one request that writes a raw value, after what has to be read for it. Never rejects. */
  async write({ unitId, broadcast }: DeviceOptions, address: Address, value: Value, signal: AbortSignal): Promise<Answer> {
    const isBroadcast = broadcast && unitId === 0;
    let write: WriteRequest;
    let said: string | undefined;
    try {
      const prepared = await this.#prepare(unitId, address, value, isBroadcast, signal);
      if ('state' in prepared) return prepared;
      write = prepared.write;
      said = prepared.detail;
    } catch (error) {
      return { state: 'not-sent', detail: messageOf(error) };
    }
    const answer = this.#answerOf(await this.#deps.client.request(write.bytes, signal, !isBroadcast), write);
    return answer.state === 'acknowledged' && said !== undefined
      ? { ...answer, detail: [said, answer.detail].filter(Boolean).join('; ') }
      : answer;
  }

  /** The one request that writes, after what has to be read for it; or why there is none. Throws a `RangeError` if the value does not fit. */
  async #prepare(
    unitId: number,
    address: Address,
    value: Value,
    isBroadcast: boolean,
    signal: AbortSignal,
  ): Promise<{ write: WriteRequest; detail?: string } | Answer> {
    const reading = address.scaleFactor !== undefined || address.writeAs === 'modify';
    if (!reading) return { write: writeRequest(unitId, address, value) };
    if (isBroadcast)
      return { state: 'not-sent', detail: 'this place has to be read before it can be written, and nobody answers a broadcast' };
    let raw = value;
    if (address.scaleFactor !== undefined) {
      const factor = await this.#deps.reader.block({ unitId, table: address.table, start: address.scaleFactor, count: 1 }, signal);
      if (factor.kind !== 'answer') return this.#unread(factor, 'the scale factor');
      raw = unscaled(value, factor.answer.readInt16BE(0));
    }
    if (address.writeAs !== 'modify') return { write: writeRequest(unitId, address, raw) };
    // What does not fit is known without asking the device.
    encodePart(address, raw);
    const before = await this.#deps.reader.block({ unitId, table: address.table, start: address.register, count: address.width }, signal);
    if (before.kind !== 'answer') return this.#unread(before, 'the register');
    return {
      write: writeRegisters(unitId, address, modified(address, before.answer, raw)),
      detail: 'read, changed and written back in two requests: not atomic',
    };
  }

  #unread(outcome: Exclude<Outcome<Buffer>, { kind: 'answer' }>, what: string): Answer {
    const answer = this.#answerOf(outcome, undefined);
    return { state: 'not-sent', detail: `${what} could not be read before: ${answer.detail ?? answer.state}` };
  }

  #answerOf(outcome: Outcome<Buffer>, write: WriteRequest | undefined): Answer {
    switch (outcome.kind) {
      case 'answer':
        if (write && confirms(write, outcome.answer)) return { state: 'acknowledged' };
        this.#deps.client.discard('echo');
        return { state: 'unknown', detail: 'the device confirmed another write than was asked for' };
      case 'broadcast':
        return { state: 'acknowledged', detail: 'sent to all units; nobody answers a broadcast' };
      case 'exception':
        if (outcome.code === codes.acknowledge)
          return { state: 'acknowledged', detail: `${exceptionText(outcome.code)}: accepted, and under way` };
        // The gateway passed it on and heard nothing: the device may have done it.
        if (outcome.code === codes.targetSilent) return { state: 'unknown', detail: exceptionText(outcome.code) };
        return {
          state: 'refused',
          detail: `${exceptionText(outcome.code)}${outcome.code === codes.illegalFunction && write?.hint ? `; ${write.hint}` : ''}`,
        };
      case 'timeout':
        return { state: 'unknown', detail: silenceWords(this.#deps.timeoutMs, outcome.detail) };
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
}

/** The whole number a register holds for a value that is told with its scale factor. */
function unscaled(value: Value, power: number): number {
  if (Math.abs(power) > factorMax)
    throw new RangeError(`the scale factor of this place is ${power}; allowed is -${factorMax} to ${factorMax}`);
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new RangeError(`the value is ${String(value)}; allowed is a number`);
  const whole = Number(`${number}e${-power}`);
  if (!Number.isSafeInteger(whole))
    throw new RangeError(`the value is ${number}; allowed are multiples of ${Number(`1e${power}`)}, by the scale factor of this place`);
  return whole;
}
