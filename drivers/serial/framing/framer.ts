/** What every way of framing has: a stream of bytes goes in, frames come out. Bytes only: no port, no clock. */

/** Why bytes were thrown away. `partial`: its beginning was missed, or its end did not come. */
export type Dropped = 'too-long' | 'partial' | 'checksum' | 'malformed';

export type Told = (why: Dropped, bytes: Buffer) => void;

export interface Framer {
  /** Frames that these bytes complete, without what delimits them. A frame is the caller's to keep. */
  push(bytes: Buffer): Generator<Buffer>;
  /** The line was silent for the framing's time: what ends by that. */
  idle(): Generator<Buffer>;
  /** Nobody knows where the frame began that is under way: it is dropped. */
  skip(): void;
}
