/** What carries requests and answers: a TCP or TLS socket, or a line that carries one request at a time. */
import type { Discard } from '../../src/contract/driver.ts';
import type { LinkLost } from '../../src/contract/fault.ts';

export interface Link {
  /** For people: `10.0.0.5:502`, `/dev/ttyUSB0`. */
  readonly name: string;
  /**
   * On a line that carries one request at a time: waits for the turn and for the line to be quiet. Rejects with the signal's reason. Absent
   * where requests need not wait for each other.
   */
  turn?(signal: AbortSignal): Promise<Turn>;
  /** Hands the bytes over; undefined if the link is gone and nothing was sent. `awaitsAnswer` is false for a broadcast. */
  send(transaction: number, unitAndPdu: Uint8Array, awaitsAnswer: boolean): Sent | undefined;
  /** What is known of an answer that did not come in time. Ends the link if it cannot be used any more. */
  overdue(): Overdue;
  /** Resolves when what was opened for this link is gone. Does not say `lost`. Never rejects. */
  close(): Promise<void>;
}

export interface Sent {
  /** The time request and answer take on the wire. */
  wireMs: number;
  /** As they went over the wire. */
  bytes: Uint8Array;
}

export interface Turn {
  /** Why nothing may be sent although the turn has come: the line is never quiet. */
  noise?: string;
  /** Ends the turn; `answered` is false if an answer may still come. */
  end(answered: boolean): void;
}

export type Overdue =
  | { kind: 'timeout'; detail?: string }
  /** Bytes came whose checksum is wrong. */
  | { kind: 'crc'; detail: string }
  | { kind: 'garbled'; detail: string };

export interface Frame {
  transaction: number;
  unitId: number;
  /** Function code and data. */
  pdu: Buffer;
  /** As it came over the wire. */
  bytes: Buffer;
}

export interface LinkEvents {
  frame(frame: Frame): void;
  /** The answer to this request came, with a wrong checksum. */
  damaged(transaction: number, bytes: Buffer): void;
  /** Bytes that are nobody's answer: noise, an answer that comes too late, junk instead of a frame. */
  stray(bytes: Buffer, why: string, discard: Discard): void;
  /** Once, when the link breaks by itself. */
  lost(error: LinkLost): void;
}
