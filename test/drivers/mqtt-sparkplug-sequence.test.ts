/** The order of messages by their numbers, in every order they can come, on a clock that is moved by hand. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Sequence } from '../../drivers/mqtt/sparkplug/sequence.ts';
import type { Clock } from '../../src/contract/clock.ts';

interface Message {
  n: number;
}

function rig(timeoutMs = 1_000, room = Number.POSITIVE_INFINITY) {
  const timers = new Set<() => void>();
  const delivered: number[] = [];
  const missing: (number | undefined)[] = [];
  let held = 0;
  const clock: Pick<Clock, 'after'> = {
    after(_ms, run) {
      timers.add(run);
      return () => void timers.delete(run);
    },
  };
  const sequence = new Sequence<Message>({
    clock: clock as Clock,
    timeoutMs,
    deliver: ({ n }) => void delivered.push(n),
    missing: (seq) => void missing.push(seq),
    hold: (bytes) => {
      if (held + bytes > room) return false;
      held += bytes;
      return true;
    },
    release: (bytes) => {
      held -= bytes;
    },
  });
  return {
    sequence,
    delivered,
    missing,
    timers,
    held: () => held,
    take: (n: number) => sequence.take(n % 256, { n }, 1, (message) => message),
    elapse: () => {
      for (const run of [...timers]) {
        timers.delete(run);
        run();
      }
    },
  };
}

/** The messages that come after a birth with this number, up to 600, in windows that are shuffled. */
const shuffled = fc.record({
  first: fc.integer({ min: 0, max: 255 }),
  windows: fc.array(
    fc.integer({ min: 1, max: 40 }).chain((size) => fc.shuffledSubarray([...Array(size).keys()], { minLength: size })),
    { maxLength: 15 },
  ),
});

it('whatever comes within its time is handed on in order, nothing is missing, no timer is left', () => {
  fc.assert(
    fc.property(shuffled, ({ first, windows }) => {
      const { sequence, delivered, missing, timers, held, take } = rig();
      sequence.start(first, () => {});
      let base = first + 1;
      for (const window of windows) {
        for (const offset of window) take(base + offset);
        base += window.length;
      }
      expect(delivered).toEqual(Array.from({ length: base - first - 1 }, (_, i) => first + 1 + i));
      expect(missing).toEqual([]);
      expect(timers.size).toBe(0);
      expect(held()).toBe(0);
    }),
  );
});

it('with gaps everything that came is handed on once, in order, and each gap is told', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 8 }), (first, lost) => {
      const { sequence, delivered, missing, held, take, elapse } = rig();
      sequence.start(first, () => {});
      const sent = Array.from({ length: 402 }, (_, i) => i + 1).filter((n) => !lost.includes(n));
      for (const n of sent) {
        take(first + n);
        elapse();
      }
      expect(delivered).toEqual(sent.map((n) => first + n));
      const gaps = lost.filter((n) => !lost.includes(n - 1)).length;
      expect(missing.length).toBe(gaps);
      expect(held()).toBe(0);
    }),
  );
});

it('a birth that comes late goes before what follows it and after what was before it', () => {
  const { sequence, delivered, missing, timers, take } = rig();
  sequence.start(10, () => void delivered.push(-1));
  take(11);
  take(14);
  take(256 + 1);
  sequence.start(0, () => void delivered.push(-2));
  take(256 + 2);
  expect(delivered).toEqual([-1, 11, 14, -2, 257, 258]);
  expect(missing).toEqual([]);
  expect(timers.size).toBe(0);
});

it('without a birth nothing is handed on; one that is dead takes nothing', () => {
  const { sequence, delivered, missing, take, elapse, held } = rig();
  take(3);
  elapse();
  expect([delivered, missing, held()]).toEqual([[], [undefined], 0]);
  sequence.start(3, () => {});
  sequence.end();
  take(4);
  elapse();
  expect([delivered, missing]).toEqual([[], [undefined, undefined]]);
});

it('with no room to hold, and with no time to wait, what came is handed on', () => {
  const full = rig(1_000, 2);
  full.sequence.start(0, () => {});
  for (const n of [5, 3, 9]) full.take(n);
  expect(full.delivered).toEqual([3, 5, 9]);
  expect(full.held()).toBe(0);
  const now = rig(0);
  now.sequence.start(0, () => {});
  for (const n of [1, 3, 2, 4]) now.take(n);
  expect(now.delivered).toEqual([1, 3, 2, 4]);
  expect(now.missing).toEqual([2, 4]);
});
