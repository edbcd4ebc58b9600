/**
 * The serial port modbus-serial believes to have. The library builds and takes apart the PDUs; who belongs to whom is decided here,
 * because its own TCP port (8.0.25) counts transactions only to 256, never forgets one, tells nobody when the link closes, and
 * accepts an exception from the wrong unit. Anything that is not an answer to an open request is dropped before the library sees it.
 */
import { EventEmitter } from 'node:events';
import crc16 from 'modbus-serial/utils/crc16.js';
import { limits } from '../../src/contract/limits.ts';
import type { Frame } from './mbap.ts';
import type { Link } from './tcp.ts';

const crcBytes = 2;

/** A request on the wire. */
interface Sent {
  unitId: number;
  /** The library's name for it. */
  slot: number;
}

export class WirePort extends EventEmitter {
  /** The library's protocol with its ports: it files a request under the one, and looks an answer up under the other. */
  _transactionIdWrite = 0;
  _transactionIdRead = 0;
  isOpen = true;
  readonly #link: () => Link | undefined;
  readonly #sent = new Map<number, Sent>();
  /** Not answered in time; kept so that the number is not used again while an answer may still come. */
  readonly #givenUp = new Set<number>();
  #last = 0;

  constructor(link: () => Link | undefined) {
    super();
    this.#link = link;
  }

  /** Takes a free slot; undefined if `limits.modbusInFlightMax` requests are open. Call before the library writes. */
  reserve(): number | undefined {
    const used = new Set([...this.#sent.values()].map(({ slot }) => slot));
    for (let slot = 0; slot < limits.modbusInFlightMax; slot++) {
      if (used.has(slot)) continue;
      this._transactionIdWrite = slot;
      return slot;
    }
    return undefined;
  }

  /** Called by the library with unit, PDU and the checksum of RTU, which TCP does not have. */
  write(data: Buffer): void {
    const transaction = this.#nextTransaction();
    if (this.#link()?.send(transaction, data.subarray(0, -crcBytes))) {
      this.#sent.set(transaction, { unitId: data.readUInt8(0), slot: this._transactionIdWrite });
    }
  }

  /** Whether the request in this slot left this machine and is still open. */
  isSent(slot: number): boolean {
    return [...this.#sent.values()].some((sent) => sent.slot === slot);
  }

  /** Ends a request; its answer, should it still come, is dropped. */
  forget(slot: number, answered: boolean): void {
    for (const [transaction, sent] of this.#sent) {
      if (sent.slot !== slot) continue;
      this.#sent.delete(transaction);
      if (!answered) this.#givenUp.add(transaction);
    }
    if (this.#givenUp.size > limits.modbusGivenUpMax) {
      for (const oldest of this.#givenUp) {
        this.#givenUp.delete(oldest);
        break;
      }
    }
  }

  /** Which request a frame answers, and whether the right unit did; undefined if it answers none. */
  match(frame: Frame): { slot: number; rightUnit: boolean; askedUnit: number } | undefined {
    this.#givenUp.delete(frame.transaction);
    const sent = this.#sent.get(frame.transaction);
    return sent && { slot: sent.slot, rightUnit: sent.unitId === frame.unitId, askedUnit: sent.unitId };
  }

  /** Hands an answer to the library, which calls back before this returns. */
  deliver(slot: number, frame: Frame): void {
    const data = Buffer.alloc(1 + frame.pdu.length + crcBytes);
    data.writeUInt8(frame.unitId, 0);
    frame.pdu.copy(data, 1);
    data.writeUInt16LE(crc16(data.subarray(0, -crcBytes)), data.length - crcBytes);
    this._transactionIdRead = slot;
    this.emit('data', data);
  }

  /** The library opens its port; the link is open before. */
  open(opened: () => void): void {
    opened();
  }

  #nextTransaction(): number {
    do this.#last = (this.#last + 1) % 0x1_0000;
    while (this.#sent.has(this.#last) || this.#givenUp.has(this.#last));
    return this.#last;
  }
}
