/** Lines that are heard and replies that are asked for on one port, and what is kept apart there. */
import { describe, expect, it } from 'vitest';
import { LinkLost } from '../../src/contract/fault.ts';
import { manualClock } from '../gateway/clocks.ts';
import { pointOf } from './line.ts';
import { type Address, climate, far, heard, lineTo, read, valuesOf, valve } from './serial-board.ts';
import { hear, hostWith, never, open, soak } from './serial-rig.ts';

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

  it('replies of the same form, however late up to twice the timeout, never land on the wrong point', async () => {
    // The device says nothing by itself: the test answers for it, at moments of a clock that stands still meanwhile.
    await far.ask({ late: 1_000 });
    const clock = manualClock();
    const host = hostWith({}, { clock });
    const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
    const line = lineTo({ n1: number(1), n2: number(2), n3: number(3) }, { timeout: '500ms', turnaround: '500ms' });
    const session = await open(line, host);
    const tooLate = () => host.seen.filter(({ meaning }) => meaning === 'reply that came too late').length;
    let questions = 0;
    /** The question that the device heard, after as long as the line has to rest. */
    const asked = async () => {
      while (host.seen.filter(({ direction }) => direction === 'out').length === questions) await clock.pass(10);
      questions += 1;
      const said: string[] = [];
      await expect.poll(async () => said.push(...(await heard())), { interval: 1 }).toBe(1);
      return said[0]?.replace('?', '=') ?? '';
    };
    const outcomes = new Set<string>();
    let late: string | undefined;
    for (let i = 0; i < (soak ? 600 : 30); i++) {
      const reading = read(session, line, `n${(i % 3) + 1}`);
      if (late !== undefined) {
        // It comes while the line rests for it, and is nobody's.
        const before = tooLate();
        await clock.pass((i * 37) % 490);
        await far.ask({ say: `${late}\n` });
        await expect.poll(tooLate, { interval: 1 }).toBe(before + 1);
        late = undefined;
      }
      const answer = await asked();
      // In time, late, never.
      const fate = (i * 7 + Math.floor(i / 5)) % 3;
      if (fate === 0) await far.ask({ say: `${answer}\n` });
      else await clock.pass(510);
      if (fate === 1) late = answer;
      const [got] = await reading;
      outcomes.add(`${fate} ${got?.reason === '' ? `${got.point.id}=${got.value}` : got?.reason}`);
    }
    expect(outcomes).toEqual(new Set(['0 n1=1', '0 n2=2', '0 n3=3', '1 timeout', '2 timeout']));
    expect(tooLate()).toBeGreaterThan(5);
  }, 600_000);

  it.each([
    ['question', {}],
    ['step of the start-up dialogue', { start: [{ send: 'NUMBER?2\n', expect: '^NUMBER=' }] }],
  ])('a reply to whoever had the port before is not the reply to the first %s', async (_what, connection) => {
    await far.ask({ late: 1_000 });
    const number = (n: number): Address => ({ request: `NUMBER?${n}\n`, reply: '^NUMBER=(?<value>\\d+)$' });
    const plain = lineTo({ n1: number(1) });
    const before = await open(plain);
    const asked = read(before, plain, 'n1').catch((error: unknown) => error);
    await expect.poll(heard, { timeout: 5_000 }).toEqual(['NUMBER?1']);
    await before.close();
    expect(await asked).toBeInstanceOf(LinkLost);
    const clock = manualClock();
    const host = hostWith({}, { clock });
    const line = lineTo({ n2: number(2) }, { turnaround: '1s', ...connection });
    const opening = open(line, host);
    const reading = opening.then((session) => read(session, line, 'n2'));
    const seen = () => host.seen.map(({ bytes }) => Buffer.from(bytes).toString());
    // Before the port is open nobody hears it.
    await expect.poll(async () => (await far.ask({ say: 'NUMBER=1\n' })) && seen().length, { interval: 5 }).toBeGreaterThan(0);
    await far.ask({ say: 'NUMBER=1\nTHAT WAS ALL\n' });
    await expect.poll(seen, { interval: 5 }).toContain('THAT WAS ALL');
    await clock.pass(999);
    expect(await heard()).toEqual([]);
    await clock.pass(2);
    for (let i = 0; i < 1 + ('start' in connection ? 1 : 0); i++) {
      await expect.poll(heard, { interval: 1 }).toEqual(['NUMBER?2']);
      await far.ask({ say: 'NUMBER=2\n' });
    }
    expect(await reading).toMatchObject([{ value: 2, reason: '' }]);
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
