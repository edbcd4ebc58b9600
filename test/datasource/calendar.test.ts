import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type CalendarUnit, parseInterval } from '../../src/contract/query.ts';
import { createCalendar } from '../../src/datasource/calendar.ts';

const program = fileURLToPath(new URL('../far/calendar_edges.py', import.meta.url));
const seconds = (text: string) => Date.parse(text) / 1_000;
const toNs = (second: number) => BigInt(second) * 1_000_000_000n;

/** Zones whose clocks do what few expect: half an hour, at midnight (both ways), a date that was left out, no change at all. */
const zones = [
  'Europe/Vienna',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Asia/Beirut',
  'America/St_Johns',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'UTC',
];
const spans: [CalendarUnit, number, string, string][] = [
  ['d', 1, '2010-01-15T11:00:00Z', '2012-02-01T00:00:00Z'],
  ['d', 1, '1969-11-30T00:00:00Z', '1970-04-01T00:00:00Z'],
  ['d', 1, '2018-01-01T00:00:00Z', '2018-12-31T00:00:00Z'],
  ['d', 10, '2017-05-05T00:00:00Z', '2018-05-05T00:00:00Z'],
  ['w', 1, '2016-12-20T22:59:59Z', '2018-01-20T00:00:00Z'],
  ['w', 2, '2016-12-20T00:00:00Z', '2017-06-20T00:00:00Z'],
  ['mo', 1, '2010-03-31T23:30:00Z', '2020-03-01T00:00:00Z'],
  ['mo', 3, '2010-02-28T00:00:00Z', '2020-03-01T00:00:00Z'],
  ['y', 1, '1985-12-31T23:30:00Z', '2020-03-01T00:00:00Z'],
];

describe('calendar intervals', () => {
  it('begin when Python says', () => {
    const asked = zones.flatMap((zone) =>
      spans.map(([unit, count, from, to]) => ({ zone, unit, count, from: seconds(from), to: seconds(to) })),
    );
    const input = asked.map(({ zone, unit, count, from, to }) => `${unit} ${count} ${zone} ${from} ${to}\n`).join('');
    const far = spawnSync('python3', [program], { input, encoding: 'utf8' });
    expect(far.stderr).toBe('');
    const lines = far.stdout.trim().split('\n');
    expect(lines.length).toBe(asked.length);
    for (const [place, { zone, unit, count, from, to }] of asked.entries()) {
      const edges = createCalendar({ unit, count }, zone).edges(toNs(from), toNs(to));
      const right = (lines[place] ?? '').split(' ').map(Number);
      expect({ zone, unit, edges: Array.from(edges, (edge) => Number(edge / 1_000_000_000n)) }).toEqual({ zone, unit, edges: right });
    }
  });

  it.each([
    ['Europe/Vienna', '2024-03-31T10:00:00Z', 23],
    ['Europe/Vienna', '2024-10-27T10:00:00Z', 25],
    ['Australia/Lord_Howe', '2024-04-06T20:00:00Z', 24.5],
    ['Australia/Lord_Howe', '2024-10-05T20:00:00Z', 23.5],
    ['America/Sao_Paulo', '2018-11-04T12:00:00Z', 23],
    ['UTC', '2024-03-31T10:00:00Z', 24],
  ])('a day in %s at %s has %d hours', (zone, at, hours) => {
    const [start = 0n, end = 0n] = createCalendar({ unit: 'd', count: 1 }, zone).edges(toNs(seconds(at)), toNs(seconds(at)) + 1n);
    expect(Number(end - start) / 3.6e12).toBe(hours);
  });

  it('every moment is in the interval that begins last before it', () => {
    for (const zone of zones) {
      const calendar = createCalendar({ unit: 'd', count: 1 }, zone);
      const edges = calendar.edges(toNs(seconds('2011-10-01T00:00:00Z')), toNs(seconds('2012-05-01T00:00:00Z')));
      for (let second = seconds('2011-10-01T00:00:00Z'); second < seconds('2012-05-01T00:00:00Z'); second += 4_500) {
        const start = edges.findLast((edge) => edge <= toNs(second));
        expect(calendar.start(toNs(second) + 1n)).toBe(start);
      }
    }
  });

  it('are whole days, weeks, months and years; everything else is a duration or nothing', () => {
    expect(parseInterval('1d')).toEqual({ count: 1, unit: 'd' });
    expect(parseInterval('3mo')).toEqual({ count: 3, unit: 'mo' });
    expect(parseInterval('24h')).toEqual({ widthMs: 86_400_000 });
    expect(parseInterval('1.5d')).toEqual({ widthMs: 129_600_000 });
    for (const text of ['auto', '0d', '1M', '1 d', '-1d', '0ms', 'mo']) expect(parseInterval(text), text).toBeUndefined();
  });
});
