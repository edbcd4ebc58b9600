/** How frames lie on a serial line, or in a byte stream that is one in disguise: RTU or ASCII. */
import type { Shape } from './answer-shape.ts';

export interface Framing {
  /** For people: `RTU`. */
  readonly name: string;
  encode(unitAndPdu: Uint8Array): Buffer;
  /** Unit and PDU of the first whole frame of one of these shapes, wherever it begins; noise before it is passed over. */
  find(bytes: Buffer, shapes: readonly Shape[]): Buffer | undefined;
  /** True if this is an answer of one of these shapes as far as can be seen, of full length, and with a wrong checksum. */
  isDamaged(bytes: Buffer, shapes: readonly Shape[]): boolean;
  /** Unit and PDU, if the bytes are one whole frame with a right checksum and nothing else. */
  whole(bytes: Buffer): Buffer | undefined;
  /** Bytes on the wire of so many bytes of unit and PDU. */
  wireBytes(unitAndPduBytes: number): number;
  /** Silence the protocol demands between two frames. */
  silenceMs(baudRate: number): number;
}
