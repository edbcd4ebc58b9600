/** Tells frames, with what they mean, to those who look at the traffic. Nothing here decides anything. */
import type { Traffic } from '../../src/contract/driver.ts';
import { exceptionBit } from './exceptions.ts';
import { answerWords, requestWords } from './words.ts';

export class FrameLog {
  readonly #tell: ((message: Traffic) => void) | undefined;
  /** Units as texts, made once each. */
  readonly #units: string[] = [];

  constructor(tell: ((message: Traffic) => void) | undefined) {
    this.#tell = tell;
  }

  /** `request` is unit and PDU, `bytes` what went over the wire. */
  sent(bytes: Uint8Array, request: Buffer): void {
    this.#tell?.({ direction: 'out', bytes, meaning: requestWords(request), unit: this.#unit(request[0] ?? 0) });
  }

  /** The answer to that request, good or an exception. */
  answered(bytes: Uint8Array, request: Buffer, pdu: Buffer): void {
    if (!this.#tell) return;
    const message: Traffic = { direction: 'in', bytes, meaning: answerWords(request, pdu), unit: this.#unit(request[0] ?? 0) };
    if ((pdu[0] ?? 0) & exceptionBit) message.isFault = true;
    this.#tell(message);
  }

  /** Bytes that are no answer to what was asked. */
  fault(bytes: Uint8Array, meaning: string, unitId?: number): void {
    this.#tell?.({ direction: 'in', bytes, meaning, ...(unitId === undefined ? {} : { unit: this.#unit(unitId) }), isFault: true });
  }

  #unit(unitId: number): string {
    this.#units[unitId] ??= String(unitId);
    return this.#units[unitId];
  }
}
