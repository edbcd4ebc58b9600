/**
 * Raw traffic of connections (`Host.traffic`), kept for whoever looks: a ring of segments a connection, with texts and bytes copied into them, so
 * that a message costs a copy and no object that would have to be collected. Rings draw their segments from one pool, which bounds the process.
 */
import type { Clock } from '../contract/clock.ts';
import type { Traffic } from '../contract/driver.ts';
import { limits } from '../contract/limits.ts';

/** A message as it was kept. */
export interface Message {
  timeNs: bigint;
  /** Counts up on this connection: with the connection it names the message. */
  number: number;
  direction: Traffic['direction'];
  isFault: boolean;
  unit: string;
  meaning: string;
  /** At most `limits.trafficMessageBytesMax` of them. */
  bytes: Uint8Array;
  /** How many there were. */
  length: number;
}

interface Segment {
  buffer: Buffer;
  /** The same memory, for numbers. */
  view: DataView;
  /** Where the next message goes. */
  end: number;
  /** Number of its first message. */
  first: number;
  count: number;
  lastUs: number;
  /** Changes when the segment is used anew: what was read of it before no longer stands there. */
  generation: number;
}

/** Length, time, flags, bytes kept, bytes there were, bytes of the unit and of the meaning. */
const headBytes = 28;
const [isOut, isFaulty] = [1, 2];

export class TrafficPool {
  readonly #rings = new Set<TrafficRing>();
  #segments = 0;

  /** What all rings take. */
  get bytes(): number {
    return this.#segments * limits.trafficSegmentBytes;
  }

  join(ring: TrafficRing): void {
    this.#rings.add(ring);
  }

  leave(ring: TrafficRing): void {
    if (this.#rings.delete(ring)) this.#segments -= ring.segments;
  }

  /** An empty segment: a new one, or the oldest of the ring that has most of them. */
  take(ring: TrafficRing): Segment {
    const { trafficSegmentBytes: size } = limits;
    if ((ring.segments + 1) * size <= limits.trafficBytesMax) {
      if ((this.#segments + 1) * size <= limits.trafficBytesAllMax) {
        this.#segments += 1;
        const buffer = Buffer.allocUnsafeSlow(size);
        return { buffer, view: new DataView(buffer.buffer), end: 0, first: 0, count: 0, lastUs: 0, generation: 0 };
      }
      const largest = [...this.#rings].reduce((most, one) => (one.segments > most.segments ? one : most), ring);
      return largest.give();
    }
    return ring.give();
  }
}

export class TrafficRing {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #pool: TrafficPool;
  readonly #followers = new Set<() => void>();
  /** Oldest first. */
  #segments: Segment[] = [];
  #count = 0;
  #lastUs = 0;

  constructor(pool: TrafficPool, clock: Pick<Clock, 'nowMs'>) {
    this.#pool = pool;
    this.#clock = clock;
    pool.join(this);
  }

  get segments(): number {
    return this.#segments.length;
  }

  /** Messages ever added. */
  get count(): number {
    return this.#count;
  }

  /** Calls back after each message until the returned function is called. */
  follow(see: () => void): () => void {
    this.#followers.add(see);
    return () => this.#followers.delete(see);
  }

  add({ direction, bytes, meaning = '', unit = '', isFault, atMs = this.#clock.nowMs() }: Traffic): void {
    const kept = Math.min(bytes.length, limits.trafficMessageBytesMax);
    // A UTF-16 unit is at most three bytes of UTF-8.
    const most = headBytes + kept + (Math.min(unit.length, limits.trafficTextMax) + Math.min(meaning.length, limits.trafficTextMax)) * 3;
    let segment = this.#segments.at(-1);
    if (!segment || segment.end + most > segment.buffer.length) {
      segment = this.#pool.take(this);
      segment.end = 0;
      segment.count = 0;
      segment.first = this.#count;
      this.#segments.push(segment);
    }
    const { buffer, view, end: at } = segment;
    const unitBytes = write(buffer, unit, at + headBytes);
    const meaningBytes = write(buffer, meaning, at + headBytes + unitBytes);
    copy(bytes, kept, buffer, at + headBytes + unitBytes + meaningBytes);
    const length = headBytes + unitBytes + meaningBytes + kept;
    view.setUint32(at, length, true);
    view.setFloat64(at + 4, this.#usOf(atMs), true);
    view.setUint16(at + 12, (direction === 'out' ? isOut : 0) | (isFault ? isFaulty : 0), true);
    view.setUint16(at + 14, kept, true);
    view.setFloat64(at + 16, bytes.length, true);
    view.setUint16(at + 24, unitBytes, true);
    view.setUint16(at + 26, meaningBytes, true);
    segment.end += length;
    segment.count += 1;
    segment.lastUs = this.#lastUs;
    this.#count += 1;
    if (this.#followers.size > 0) for (const see of this.#followers) see();
  }

  /** Messages from the newest on, back to `fromNs`, until the caller has enough; what is overwritten meanwhile is left out. */
  *newestFirst(fromNs: bigint): Generator<Message> {
    const fromUs = Number(fromNs / 1_000n);
    const kept = this.#segments.map((segment) => ({ segment, generation: segment.generation }));
    for (const { segment, generation } of kept.reverse()) {
      if (segment.generation !== generation || segment.lastUs < fromUs) return;
      const { first } = segment;
      const places: number[] = [];
      for (let at = 0; at < segment.end; at += segment.buffer.readUInt32LE(at)) places.push(at);
      for (let i = places.length - 1; i >= 0; i -= 1) {
        if (segment.generation !== generation) return;
        const message = read(segment.buffer, places[i] ?? 0, first + i);
        if (message.timeNs < fromNs) return;
        yield message;
      }
    }
  }

  /** The messages with these numbers that are still here, oldest first; `to` is beyond the last. What comes meanwhile does not change the answer. */
  between(from: number, to: number): Message[] {
    const messages: Message[] = [];
    for (const { buffer, first, count } of this.#segments) {
      if (first + count <= from) continue;
      let number = first;
      for (let at = 0; number < Math.min(first + count, to); at += buffer.readUInt32LE(at)) {
        if (number >= from) messages.push(read(buffer, at, number));
        number += 1;
      }
    }
    return messages;
  }

  /** Parts with the oldest segment. */
  give(): Segment {
    const oldest = this.#segments.shift();
    if (!oldest) throw new Error('a ring without segments was asked for one');
    oldest.generation += 1;
    return oldest;
  }

  close(): void {
    this.#pool.leave(this);
    this.#segments = [];
    this.#followers.clear();
  }

  /** Microseconds since 1970; messages of one millisecond follow one another, and a clock that was set back is followed. */
  #usOf(nowMs: number): number {
    const nowUs = nowMs * 1_000;
    this.#lastUs = nowUs <= this.#lastUs && this.#lastUs - nowUs < 1_000_000 ? this.#lastUs + 1 : nowUs;
    return this.#lastUs;
  }
}

/** The rings of one gateway, by connection. */
export class Traffics {
  readonly #pool: TrafficPool;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #rings = new Map<string, TrafficRing>();

  constructor(pool: TrafficPool, clock: Pick<Clock, 'nowMs'>) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** What a driver is given; a ring is made with its first message. */
  taker(connection: string): (message: Traffic) => void {
    let ring: TrafficRing | undefined;
    return (message) => {
      if (!ring || this.#rings.get(connection) !== ring) ring = this.#ringOf(connection);
      ring.add(message);
    };
  }

  #ringOf(connection: string): TrafficRing {
    const ring = this.#rings.get(connection) ?? new TrafficRing(this.#pool, this.#clock);
    this.#rings.set(connection, ring);
    return ring;
  }

  /** By connection; those that have said something. */
  rings(): ReadonlyMap<string, TrafficRing> {
    return this.#rings;
  }

  /** Forgets connections that are gone. */
  keepOnly(connections: ReadonlySet<string>): void {
    for (const [id, ring] of this.#rings) {
      if (connections.has(id)) continue;
      ring.close();
      this.#rings.delete(id);
    }
  }
}

function write(buffer: Buffer, text: string, at: number): number {
  return text === '' ? 0 : buffer.write(text.length > limits.trafficTextMax ? text.slice(0, limits.trafficTextMax) : text, at);
}

/** Up to this many bytes a loop is quicker than a call of `set`. */
const shortBytes = 48;

function copy(bytes: Uint8Array, count: number, buffer: Buffer, at: number): void {
  if (count > shortBytes) buffer.set(count === bytes.length ? bytes : bytes.subarray(0, count), at);
  else for (let i = 0; i < count; i += 1) buffer[at + i] = bytes[i] as number;
}

function read(buffer: Buffer, at: number, number: number): Message {
  const flags = buffer.readUInt16LE(at + 12);
  const unitEnd = at + headBytes + buffer.readUInt16LE(at + 24);
  const meaningEnd = unitEnd + buffer.readUInt16LE(at + 26);
  return {
    timeNs: BigInt(buffer.readDoubleLE(at + 4)) * 1_000n,
    number,
    direction: flags & isOut ? 'out' : 'in',
    isFault: (flags & isFaulty) !== 0,
    unit: buffer.toString('utf8', at + headBytes, unitEnd),
    meaning: buffer.toString('utf8', unitEnd, meaningEnd),
    bytes: new Uint8Array(buffer.subarray(meaningEnd, meaningEnd + buffer.readUInt16LE(at + 14))),
    length: buffer.readDoubleLE(at + 16),
  };
}
