/** Raw traffic in memory: what is kept, in which order, and what it may take. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type Message, TrafficPool, TrafficRing, Traffics } from '../../src/gateway/traffic.ts';
import { manualClock } from './clocks.ts';

const startMs = 1_700_000_000_000;

function newest(ring: TrafficRing, most = 10, fromNs = 0n): Message[] {
  const found: Message[] = [];
  for (const message of ring.newestFirst(fromNs)) if (found.push(message) === most) break;
  return found;
}

describe('a ring of traffic', () => {
  it('gives back what it was given, newest first, each at a time of its own', async () => {
    const clock = manualClock(startMs);
    const ring = new TrafficRing(new TrafficPool(), clock);
    ring.add({ direction: 'out', bytes: Buffer.from([1, 3, 0, 255]), meaning: 'read holding 30-41', unit: '1' });
    ring.add({ direction: 'in', bytes: Buffer.from('T=21,5 °C\r\n'), unit: 'täglich/büro', isFault: true });
    await clock.pass(5);
    ring.add({ direction: 'in', bytes: new Uint8Array() });
    expect(newest(ring).map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString('latin1') }))).toEqual([
      { timeNs: BigInt(startMs + 5) * 1_000_000n, number: 2, direction: 'in', isFault: false, unit: '', meaning: '', length: 0, bytes: '' },
      {
        timeNs: BigInt(startMs) * 1_000_000n + 1_000n,
        number: 1,
        direction: 'in',
        isFault: true,
        unit: 'täglich/büro',
        meaning: '',
        length: 12,
        bytes: Buffer.from('T=21,5 °C\r\n').toString('latin1'),
      },
      {
        timeNs: BigInt(startMs) * 1_000_000n,
        number: 0,
        direction: 'out',
        isFault: false,
        unit: '1',
        meaning: 'read holding 30-41',
        length: 4,
        bytes: '\u0001\u0003\u0000ÿ',
      },
    ]);
    expect(newest(ring, 10, BigInt(startMs + 1) * 1_000_000n)).toHaveLength(1);
    // A clock that was set back by an hour: later messages are later in the ring, with the time that is now right.
    clock.jump(-3_600_000);
    ring.add({ direction: 'in', bytes: new Uint8Array() });
    expect(newest(ring, 1)[0]?.timeNs).toBe(BigInt(startMs + 5 - 3_600_000) * 1_000_000n);
  });

  it('cuts a long message and says how long it was, and long texts too', () => {
    const ring = new TrafficRing(new TrafficPool(), manualClock());
    ring.add({ direction: 'in', bytes: Buffer.alloc(100_000, 7), meaning: '€'.repeat(5_000), unit: 'u'.repeat(5_000) });
    const [message] = newest(ring);
    expect(message?.bytes).toEqual(new Uint8Array(limits.trafficMessageBytesMax).fill(7));
    expect(message?.length).toBe(100_000);
    expect([message?.meaning.length, message?.unit.length]).toEqual([limits.trafficTextMax, limits.trafficTextMax]);
  });

  it('keeps the newest within its bound, all of them together within theirs, and gives nobody the bytes of another', () => {
    const pool = new TrafficPool();
    const clock = manualClock();
    const bytes = Buffer.alloc(limits.trafficMessageBytesMax);
    const perSegment = Math.floor(limits.trafficSegmentBytes / (bytes.length + 28));
    const rings = Array.from({ length: 6 }, () => new TrafficRing(pool, clock));
    const filling = (limits.trafficBytesMax / limits.trafficSegmentBytes) * perSegment * 2;
    for (const [index, ring] of rings.entries()) {
      bytes.fill(index);
      for (let i = 0; i < filling; i += 1) ring.add({ direction: 'in', bytes });
    }
    const sizes = rings.map(({ segments }) => segments * limits.trafficSegmentBytes);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.trafficBytesMax);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limits.trafficBytesAllMax);
    for (const [index, ring] of rings.entries()) {
      const kept = newest(ring, Number.POSITIVE_INFINITY);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.map(({ number }) => number)).toEqual(kept.map((_, i) => filling - 1 - i));
      expect(kept.every((message) => message.bytes[0] === index)).toBe(true);
    }
    // A reader that is overtaken gets no message twice and none of another ring.
    const [first, second] = rings as [TrafficRing, TrafficRing];
    const reading = first.newestFirst(0n);
    const seen = [reading.next().value as Message];
    for (let i = 0; i < filling * 2; i += 1) second.add({ direction: 'in', bytes: bytes.fill(99) });
    for (const message of reading) seen.push(message);
    expect(seen.every((message) => message.bytes[0] === 0)).toBe(true);
    for (const ring of rings.slice(1)) ring.close();
    for (let i = 0; i < filling; i += 1) first.add({ direction: 'in', bytes });
    expect(first.segments * limits.trafficSegmentBytes).toBe(limits.trafficBytesMax);
  });
});

it('traffic of a connection that is gone is forgotten, and begins anew when it is back', () => {
  const traffics = new Traffics(new TrafficPool(), manualClock());
  const take = traffics.taker('plc');
  expect(traffics.rings().size).toBe(0);
  take({ direction: 'in', bytes: Buffer.from('a') });
  traffics.keepOnly(new Set(['plc']));
  expect(traffics.rings().get('plc')?.count).toBe(1);
  traffics.keepOnly(new Set());
  expect(traffics.rings().size).toBe(0);
  take({ direction: 'in', bytes: Buffer.from('b') });
  expect(traffics.rings().get('plc')?.count).toBe(1);
});
