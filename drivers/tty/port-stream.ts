/** What every kind of serial port is to those who use it: bytes in, bytes out, and one word when it is gone. */
import type { LinkLost } from '../../src/contract/fault.ts';

export interface PortEvents {
  /** The bytes are the listener's to keep. */
  data(bytes: Buffer): void;
  /** Once, when the port is gone by itself: unplugged, or it takes no bytes any more. */
  lost(error: LinkLost): void;
}

export interface Stream {
  /** Hands the bytes over in turn. Never rejects: failing means that the port is lost, which is told by `lost`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Throws away what has come and was not read yet. Never rejects. */
  discard(): Promise<void>;
  /** Never rejects; any number of times. Resolves when the port is free for others. */
  close(): Promise<void>;
}
