/** Lines that are heard and replies that are asked for on one port, and what is kept apart there. */
import { describe, expect, it } from 'vitest';
import type { Reading } from '../../src/contract/driver.ts';
import { pointOf } from './line.ts';
import { type Address, climate, far, heard, lineTo, read, valuesOf, valve } from './serial-board.ts';
import { hear, never, open, soak } from './serial-rig.ts';

describe('lines and replies on one port', () => {
  it('keeps what the device says by itself apart from what it answers', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' }, soil: { line: climate, field: 'soil' }, valve });
    const session = await open(line);
    const ear = hear(session, line);
    await far.ask({ every: 0.003, say: 'T=21.5;S=40\n' });
    const rounds = soak ? 2_000 : 60;
    for (let i = 0; i < rounds; i++) {
      const wanted = i % 2;
      expect(await session.write?.(pointOf(line, 'valve'), wanted, never())).toEqual({ state: 'acknowledged' });
      const [reading] = await read(session, line, 'valve');
      expect(reading).toMatchObject({ value: wanted, reason: '' });
    }
    expect(ear.readings.length).toBeGreaterThan(20);
    expect(new Set(valuesOf(ear, 'air'))).toEqual(new Set([21.5]));
    expect(new Set(valuesOf(ear, 'soil'))).toEqual(new Set([40]));
    expect(valuesOf(ear, 'valve')).toEqual([]);
  }, 600_000);

  it('gives a line that fits the pending reply to the request, and the same line to the listeners when nothing is asked', async () => {
    const line = lineTo({ valve, news: { line: '^VALVE=(?<value>[01])$' } });
    const session = await open(line);
    const ear = hear(session, line);
    expect((await read(session, line, 'valve'))[0]?.value).toBe(0);
    expect(ear.readings).toEqual([]);
    await far.ask({ say: 'VALVE=1\n' });
    await expect.poll(() => valuesOf(ear, 'news')).toEqual([1]);
  });

  it('a line that is no reply is not taken for one, and is not lost for those who listen', async () => {
    const points = { wrong: { request: 'WRONG?\n', reply: '^WRONG=(?<value>.*)$' }, any: { line: '^(?<value>this.*)$', type: 'text' } };
    const line = lineTo(points, { timeout: '500ms' });
    const session = await open(line);
    const ear = hear(session, line);
    expect(await read(session, line, 'wrong')).toMatchObject([{ value: null, reason: 'timeout', detail: 'no reply in 500ms' }]);
    expect(valuesOf(ear, 'any')).toEqual(['this is no reply']);
  });

  it.each([
    ['1.1 times the timeout late', 0.55],
    ['as late as they like, up to nearly twice the timeout', [0, 0.8]],
  ])(
    'replies of the same form %s never land on the wrong point',
    async (_what, late) => {
      await far.ask({ late });
      const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
      const line = lineTo({ n1: number(1), n2: number(2), n3: number(3) }, { timeout: '500ms', turnaround: '500ms' });
      const session = await open(line);
      const readings: Reading[] = [];
      for (let i = 0; i < (soak ? 100 : 3); i++) readings.push(...(await read(session, line, 'n1', 'n2', 'n3')));
      for (const { point, value, reason } of readings) {
        if (reason === '') expect(`n${value}`).toBe(point.id);
        else expect(reason).toBe('timeout');
      }
      if (late === 0.55) expect(readings.every(({ reason }) => reason === 'timeout')).toBe(true);
    },
    600_000,
  );

  it('a reply to whoever had the port before is not the reply to the first question', async () => {
    await far.ask({ late: 0.6 });
    const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
    const line = lineTo({ n1: number(1), n2: number(2) }, { timeout: '1s', turnaround: '1s' });
    const before = await open(line);
    const asked = read(before, line, 'n1');
    asked.catch(() => {});
    await expect.poll(heard, { timeout: 5_000 }).toEqual(['NUMBER?1']);
    await before.close();
    await asked.catch(() => {});
    expect(await read(await open(line), line, 'n2')).toMatchObject([{ value: 2, reason: '' }]);
  });

  it('asks one question at a time, whoever asks, and rests in between', async () => {
    const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
    const line = lineTo({ n1: number(1), n2: number(2), n3: number(3) }, { requestDelay: '50ms' });
    const session = await open(line);
    const started = performance.now();
    const all = await Promise.all(['n1', 'n2', 'n3', 'n1', 'n2'].map((id) => read(session, line, id)));
    expect(all.flat().map(({ value }) => value)).toEqual([1, 2, 3, 1, 2]);
    expect(performance.now() - started).toBeGreaterThan(4 * 50);
  });

  it('points that ask the same share the request', async () => {
    const address = { request: 'NUMBER?17\n', reply: '^NUMBER=(?<tens>\\d)(?<ones>\\d)$' };
    const line = lineTo({ tens: { ...address, field: 'tens' }, ones: { ...address, field: 'ones' } });
    const session = await open(line);
    const plan = session.plan?.(line.devices[0]?.points ?? []) ?? [];
    expect(plan.map(({ unit, text, points }) => [unit, text, points.length])).toEqual([['uno', 'ask uno "NUMBER?17"', 2]]);
    expect((await read(session, line, 'tens', 'ones')).map(({ value }) => value)).toEqual([1, 7]);
    expect(await heard()).toEqual(['NUMBER?17']);
  });

  it('waits after opening for a board that starts anew', async () => {
    const line = lineTo({ valve }, { connectDelay: '500ms' });
    const started = performance.now();
    const session = await open(line);
    expect(performance.now() - started, 'it is open before the board has started').toBeLessThan(490);
    await read(session, line, 'valve');
    expect(performance.now() - started).toBeGreaterThan(490);
  });
});
