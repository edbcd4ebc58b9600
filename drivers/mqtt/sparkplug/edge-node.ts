/** The session of an edge node: NBIRTH begins it, NDEATH with the same bdSeq ends it, in between each message has its number. */
import type { Clock } from '../../../src/contract/clock.ts';
import { limits } from '../../../src/contract/limits.ts';
import { Born } from './node.ts';
import { type Payload, readPayload } from './payload.ts';
import { Sequence } from './sequence.ts';
import { nameOf, type Place, type SparkplugTopic } from './topic.ts';

export interface Around {
  /** Bytes that are held until their turn, of what all edge nodes may hold together. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  born(born: Born, payload: Payload): void;
  /** A device is gone, as its edge node says. */
  dead(born: Born, payload: Payload): void;
  /** A device did not come back with its edge node. */
  missed(born: Born): void;
  said(born: Born, payload: Payload): void;
  /** Something was not heard, in words that follow the name of the edge node. */
  missing(what: string): void;
  /** A device that may not be. */
  refused(why: string): void;
  isRoomFor(): boolean;
}

interface Message {
  topic: SparkplugTopic;
  bytes: Buffer;
  /** Read again when its turn has come, if it had to wait: held as it came it takes less room. */
  payload: Payload | undefined;
}

export class EdgeNode {
  readonly place: Place;
  readonly #clock: Clock;
  readonly #around: Around;
  readonly #sequence: Sequence<Message>;
  readonly #self: Born;
  readonly #devices = new Map<string, Born>();
  #bdSeq: bigint | undefined;
  #takeBack: (() => void) | undefined;

  constructor(place: Place, clock: Clock, reorderTimeoutMs: number, around: Around) {
    this.place = place;
    this.#clock = clock;
    this.#around = around;
    this.#self = new Born(place);
    this.#sequence = new Sequence({
      clock,
      timeoutMs: reorderTimeoutMs,
      deliver: (message) => this.#deliver(message),
      missing: (seq) =>
        around.missing(
          seq === undefined
            ? 'it speaks, and its birth was not heard'
            : `the message with the number ${seq} did not come within ${reorderTimeoutMs} ms`,
        ),
      hold: around.hold,
      release: around.release,
    });
  }

  get isBorn(): boolean {
    return this.#sequence.hasBegun;
  }

  /** Devices behind it. */
  get count(): number {
    return this.#devices.size;
  }

  all(): Born[] {
    return [this.#self, ...this.#devices.values()];
  }

  /** A last will may come after the birth it does not belong to (specification 3.0, §5.6). */
  isDeathOf(payload: Payload): boolean {
    return this.isBorn && bdSeqOf(payload) === this.#bdSeq;
  }

  /** Its session is over. */
  end(): void {
    this.#sequence.end();
    this.#takeBack?.();
    this.#takeBack = undefined;
  }

  /** A message other than NDEATH. */
  take(topic: SparkplugTopic, bytes: Buffer, payload: Payload): void {
    const seq = Number(payload.seq ?? 0n);
    if (seq > 255) throw new Error(`has the number ${payload.seq}; allowed are 0 to 255`);
    if (topic.type === 'NBIRTH') this.#sequence.start(seq, () => this.#birth(payload));
    else this.#sequence.take(seq, { topic, bytes, payload }, bytes.length, keep);
  }

  #birth(payload: Payload): void {
    this.#bdSeq = bdSeqOf(payload);
    this.#self.birth(payload);
    this.#around.born(this.#self, payload);
    const before = [...this.#devices.values()].filter(({ isAlive }) => isAlive);
    const waiting = new Set(before);
    this.#takeBack?.();
    this.#takeBack = undefined;
    this.#reborn = waiting;
    if (waiting.size > 0)
      this.#takeBack = this.#clock.after(limits.sparkplugBirthWaitMs, () => {
        for (const born of waiting) this.#around.missed(born);
        waiting.clear();
      });
  }

  /** Devices that were there before the last NBIRTH and have not been born since. */
  #reborn = new Set<Born>();

  #deliver({ topic, bytes, payload: read }: Message): void {
    const payload = read ?? readPayload(bytes);
    if (topic.type === 'NDATA') {
      this.#around.said(this.#self, payload);
      return;
    }
    const name = topic.device ?? '';
    const known = this.#devices.get(name);
    if (topic.type === 'DBIRTH') {
      if (!known && !this.#around.isRoomFor()) {
        this.#around.refused(`${nameOf(topic)} is one device too many: ${limits.discoveredDevicesMax} are known`);
        return;
      }
      const born = known ?? new Born(topic);
      this.#devices.set(name, born);
      this.#reborn.delete(born);
      born.birth(payload);
      this.#around.born(born, payload);
      return;
    }
    if (!known || this.#reborn.has(known) || !known.isAlive) {
      // The death of what was not there is no news.
      if (topic.type === 'DDATA' || !known) this.#around.missing(`${nameOf(topic)} speaks, and its birth was not heard`);
      return;
    }
    if (topic.type === 'DDEATH') this.#around.dead(known, payload);
    else this.#around.said(known, payload);
  }
}

/** The parser's payload is a view of a whole chunk of the socket. */
const keep = ({ topic, bytes }: Message): Message => ({ topic, bytes: Buffer.from(bytes), payload: undefined });

function bdSeqOf({ metrics }: Payload): bigint | undefined {
  const raw = metrics.find(({ name }) => name === 'bdSeq')?.value;
  return raw?.is === 'int' || raw?.is === 'long' ? BigInt(raw.value) : undefined;
}
