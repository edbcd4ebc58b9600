/** What is remembered of the requests of buses, and how much of it. */
import { expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { Spans } from '../../src/gateway/spans.ts';

const add = (spans: Spans, count: number) => {
  for (let at = 0; at < count; at++)
    spans.add({
      unit: '1',
      text: 'read',
      priority: 'poll',
      outcome: 'answered',
      owner: undefined,
      queuedMs: at,
      startedMs: at,
      endedMs: at,
    });
};
const kept = (spans: Spans) => spans.between(-1, Number.POSITIVE_INFINITY).map(({ number }) => number);

it('a bus remembers its newest requests, all buses together as many as they have room for, and one that is gone leaves its room', () => {
  const room = { left: limits.busSpansAllMax };
  const many = 3 * limits.busSpansMax;
  const buses = Array.from({ length: 100 }, () => new Spans(room));
  for (let round = 0; round < many; round += 64) for (const spans of buses) add(spans, 64);
  const counts = buses.map((spans) => kept(spans).length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(limits.busSpansAllMax + 100 * 64);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(512);
  for (const spans of buses) expect(kept(spans).at(-1)).toBe(many - 1);

  for (const spans of buses) spans.close();
  expect(room.left).toBe(limits.busSpansAllMax);
  const alone = new Spans(room);
  add(alone, many);
  expect(kept(alone)).toEqual(Array.from({ length: limits.busSpansMax }, (_, at) => many - limits.busSpansMax + at));
});
