/**
 * Units that misbehave, by their id (the table is in simulators/README.md): what they hold is sound, how their answers leave is not. Frames are those of
 * Modbus TCP: six bytes of header, unit, function, data (Messaging on TCP/IP Implementation Guide V1.0b §3.1).
 */
import type { Unit } from './modbus-protocol.ts';

/** The way an answer takes. */
export interface Way {
  send(bytes: Buffer): void;
  hangUp(): void;
  /** Calls back after so long, if the connection is still there. */
  after(delayMs: number, run: () => void): void;
}

/** Sends the sound answer to a request in its own way, or does not. */
export type Manner = (answer: Buffer, way: Way) => void;

const headerBytes = 6;
const slowMs = 200;
/** Longer than the timeout in simulators/gateway-faults.json, and sooner than the next poll. */
const lateMs = 700;
const floodFrames = 500;

/** Exceptions 1 to 11 of the standard (Application Protocol V1.1b3 §7) are units 201 to 211. */
const exceptionCodes = Array.from({ length: 11 }, (_, i) => i + 1);

/** A unit whose holding registers 0 to 9 all hold the seconds since it began. */
export function clockUnit(clock: { nowMs(): number }): Unit {
  const startMs = clock.nowMs();
  return {
    now() {
      const seconds = Math.floor((clock.nowMs() - startMs) / 1_000) & 0x7fff;
      const holding = new Map(Array.from({ length: 10 }, (_, register) => [register, seconds]));
      return { coil: new Map(), discrete: new Map(), input: new Map(), holding };
    },
    setCoils: () => 2,
    setHolding: () => 2,
  };
}

export const manners: ReadonlyMap<number, Manner> = new Map<number, Manner>([
  // The same ids misbehave in the same way on the simulated serial line. Silent: hears and says nothing.
  [101, () => {}],
  // Slow, but in time.
  [102, (answer, way) => way.after(slowMs, () => way.send(answer))],
  // Late: right, and nobody waits for it any more.
  [110, (answer, way) => way.after(lateMs, () => way.send(answer))],
  // Short: two bytes of data less than were asked for, and it says so.
  [103, (answer, way) => way.send(shortened(answer))],
  // A bad checksum on a serial line; TCP frames have none, so here it is sound.
  [104, (answer, way) => way.send(answer)],
  // Another unit's answer.
  [105, (answer, way) => way.send(Buffer.concat([answer.subarray(0, headerBytes), Buffer.from([99]), answer.subarray(headerBytes + 1)]))],
  [106, (answer, way) => way.send(refusal(answer, 4))],
  // Half a frame, and the rest never comes.
  [107, (answer, way) => way.send(answer.subarray(0, headerBytes + 2))],
  // Hangs up instead of an answer.
  [108, (_answer, way) => way.hangUp()],
  // A flood: answers to what nobody asked, then the right one, then that again and again.
  [109, flood],
  ...exceptionCodes.map((code): [number, Manner] => [200 + code, (answer, way) => way.send(refusal(answer, code))]),
]);

function shortened(answer: Buffer): Buffer {
  const short = Buffer.from(answer.subarray(0, -2));
  short.writeUInt16BE(answer.readUInt16BE(4) - 2, 4);
  short.writeUInt8(answer.readUInt8(headerBytes + 2) - 2, headerBytes + 2);
  return short;
}

function refusal(answer: Buffer, code: number): Buffer {
  const refused = Buffer.from(answer.subarray(0, headerBytes + 3));
  refused.writeUInt16BE(3, 4);
  refused.writeUInt8(answer.readUInt8(headerBytes + 1) | 0x80, headerBytes + 1);
  refused.writeUInt8(code, headerBytes + 2);
  return refused;
}

function flood(answer: Buffer, way: Way): void {
  const foreign = Array.from({ length: floodFrames }, (_, i) => {
    const frame = Buffer.from(answer);
    frame.writeUInt16BE((answer.readUInt16BE(0) + 1 + i) & 0xffff, 0);
    frame.fill(0xee, headerBytes + 3);
    return frame;
  });
  way.send(Buffer.concat([...foreign, answer, ...Array.from({ length: floodFrames }, () => answer)]));
}
