/**
 * The serial port modbus-serial believes to have. The library builds and takes apart the PDUs; who belongs to whom is decided here,
 * because its own TCP port (8.0.25) counts transactions only to 256, never forgets one, tells nobody when the link closes, and
 * accepts an exception from the wrong unit. Anything that is not an answer to an open request is dropped before the library sees it.
 */
import { EventEmitter } from 'node:events';
import crc16 from 'modbus-serial/utils/crc16.js';
import { limits } from '../../src/contract/limits.ts';
import type { Frame, Link } from './link.ts';

const crcBytes = 2;

/** A request on the wire. */
interface Sent {
  transaction: number;
  unitId: number;
  /** Function code and data. */
  pdu: Buffer;
  /** Beside the time the device takes. */
  wireMs: number;
  /** As they went over the wire. */
  bytes: Uint8Array;
}

export class WirePort extends EventEmitter {
  /** The library's protocol with its ports: it files a request under the one, and looks an answer up under the other. */
  _transactionIdWrite = 0;
  _transactionIdRead = 0;
  isOpen = true;
  /** Of the request that is written next: false for a broadcast. */
  awaitsAnswer = true;
  readonly #link: () => Link | undefined;
  /** By slot: the library's name for a request, taken again as soon as it is free. */
  readonly #sent: (Sent | undefined)[] = new Array(limits.modbusInFlightMax).fill(undefined);
  readonly #slots = new Map<number, number>();
  /** Not answered in time; kept so that the number is not used again while an answer may still come. */
  readonly #givenUp = new Set<number>();
  #last = 0;

  constructor(link: () => Link | undefined) {
    super();
    this.#link = link;
  }

  /** Takes a free slot; undefined if `limits.modbusInFlightMax` requests are open. Call before the library writes. */
  reserve(): number | undefined {
    const slot = this.#sent.indexOf(undefined);
    if (slot < 0) return undefined;
    this._transactionIdWrite = slot;
    return slot;
  }

  /** Called by the library with unit, PDU and the checksum of RTU, which is the link's business. */
  write(data: Buffer): void {
    const transaction = this.#nextTransaction();
    const unitAndPdu = data.subarray(0, -crcBytes);
    const sent = this.#link()?.send(transaction, unitAndPdu, this.awaitsAnswer);
    if (!sent) return;
    this.#sent[this._transactionIdWrite] = { transaction, unitId: data.readUInt8(0), pdu: unitAndPdu.subarray(1), ...sent };
    this.#slots.set(transaction, this._transactionIdWrite);
  }

  /** The request in this slot, if it left this machine and is still open. */
  sentIn(slot: number): Sent | undefined {
    return this.#sent[slot];
  }

  /** Ends a request; its answer, should it still come, is dropped. */
  forget(slot: number, answered: boolean): void {
    const sent = this.#sent[slot];
    if (!sent) return;
    this.#sent[slot] = undefined;
    this.#slots.delete(sent.transaction);
    if (answered) return;
    this.#givenUp.add(sent.transaction);
    if (this.#givenUp.size <= limits.modbusGivenUpMax) return;
    for (const oldest of this.#givenUp) {
      this.#givenUp.delete(oldest);
      break;
    }
  }

  /** Which request a frame of this transaction answers, and which unit was asked; undefined if it answers none. */
  match(transaction: number): { slot: number; askedUnit: number } | undefined {
    this.#givenUp.delete(transaction);
    const slot = this.#slots.get(transaction);
    const sent = slot === undefined ? undefined : this.#sent[slot];
    return slot === undefined || !sent ? undefined : { slot, askedUnit: sent.unitId };
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
    while (this.#slots.has(this.#last) || this.#givenUp.has(this.#last));
    return this.#last;
  }
}
