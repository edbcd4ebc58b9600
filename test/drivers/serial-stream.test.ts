/** The stream of bytes: garbage, halves, floods, and the lines found in them again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DelimiterFramer } from '../../drivers/serial/framing/delimiter.ts';
import { limits } from '../../src/contract/limits.ts';
import { pointOf } from './line.ts';
import { climate, far, lineTo, pause, read, valuesOf, valve } from './serial-board.ts';
import { hear, hostWith, never, open, soak } from './serial-rig.ts';

describe('the stream', () => {
  it('finds its place again after garbage, half a line and a line that is too long', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' } }, { framing: { type: 'delimiter', delimiter: '\n', maxLength: 100 } });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ hex: '00fffe80'.repeat(10) });
    await far.ask({ say: 'T=1;S=1\n' }); // Ends the line the garbage began.
    await far.ask({ say: 'T=2;S=2\n' });
    await far.ask({ say: 'T=3;' });
    await far.ask({ say: 'S=3\nT=4;S=4\n' });
    await far.ask({ say: `T=${'5'.repeat(300)};S=5\nT=6;S=6\n` });
    await far.ask({ drip: 'T=7;S=7\r\n' });
    await expect.poll(() => valuesOf(ear, 'air')).toEqual([2, 3, 4, 6, 7]);
  });

  it.each([
    ['delimiter', '\n'],
    // The carriage return is no part of the line, so its limit does not count it.
    ['delimiter', '\r\n'],
    ['json-lines', '\r\n'],
  ])('%s ended by %j: a line as long as is allowed is one, and a byte more is none', async (type, end) => {
    const said = (n: number, bytes: number) => `{"n":${n}}`.padEnd(bytes, ' ');
    const line = lineTo({ n: { take: { as: 'json', path: '$.n' } } }, { framing: { type, maxLength: 64 } });
    const ear = hear(await open(line), line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: said(1, 64) + end + said(2, 65) + end + said(3, 63) + end + said(4, 64) });
    await expect.poll(() => valuesOf(ear, 'n')).toEqual([1, 3]);
    // The end comes alone.
    for (const piece of [...end, said(5, 65), ...end, said(6, 64), ...end]) {
      await far.ask({ say: piece });
      await pause(limits.serialSettleMs);
    }
    await expect.poll(() => valuesOf(ear, 'n')).toEqual([1, 3, 4, 6]);
  });

  it('does not take the rest of a line for a line when it is opened in the middle of one', async () => {
    const line = lineTo({ number: { line: '^(?<value>\\d+)$' } });
    await far.ask({ every: 0.001, say: '12345' });
    await far.ask({ every: 0.001, say: '6789\n' });
    for (let i = 0; i < 5; i++) {
      const session = await open(line);
      const ear = hear(session, line);
      await expect.poll(() => ear.readings.length).toBeGreaterThan(2);
      expect(new Set(valuesOf(ear, 'number'))).toEqual(new Set([6789]));
      await session.close();
    }
  });

  it('answers questions in a flood, and hears all of it', async () => {
    const line = lineTo({ number: { line: '^N=(?<value>\\d+)$' }, valve });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    const numbers = Array.from({ length: 20_000 }, (_, i) => i);
    const asked = [];
    for (let from = 0; from < numbers.length; from += 400) {
      // A pty holds little that nobody has read yet; what is more falls beside it, as on a real line.
      await expect.poll(() => from - ear.readings.length).toBeLessThan(401);
      const said = far.ask({
        say: numbers
          .slice(from, from + 400)
          .map((n) => `N=${n}\n`)
          .join(''),
      });
      if (from % 4_000 === 0) asked.push(await read(session, line, 'valve'));
      await said;
    }
    await expect.poll(() => ear.readings.length).toBe(numbers.length);
    expect(valuesOf(ear, 'number')).toEqual(numbers);
    expect(asked.flat().map(({ value }) => value)).toEqual(asked.map(() => 0));
  }, 60_000);

  it('half a frame for ever: it is given up at the limit and told once, and what follows its end is heard and answered', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' }, valve }, { timeout: '300ms' });
    const host = hostWith();
    const session = await open(line, host);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: 'T=21.5;' });
    await far.ask({ every: 0.002, say: 'T=21.5;S='.repeat(100) });
    // The reply has no beginning of its own.
    expect(await read(session, line, 'valve')).toMatchObject([{ value: null, reason: 'timeout' }]);
    await far.ask({ every: 0 });
    await far.ask({ say: 'T=6;S=6\nT=7;S=7\n' });
    await expect.poll(() => valuesOf(ear, 'air')).toEqual([7]);
    await expect.poll(async () => (await read(session, line, 'valve'))[0]?.value).toBe(0);
    expect(host.seen.filter(({ isFault }) => isFault).map(({ meaning }) => meaning)).toEqual(['longer than framing allows']);
  });

  it('at 19200 baud, byte by byte both ways: every line is heard whole, and questions are answered in between', async () => {
    const line = lineTo({ number: { line: '^N=(?<value>\\d+)$' }, valve }, { baudRate: 19_200, timeout: '5s' });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    expect((await far.ask({ settings: true })).value).toMatchObject({ baudRate: 19_200 });
    await far.ask({ baud: 19_200 });
    const numbers = Array.from({ length: soak ? 5_000 : 400 }, (_, i) => i);
    const asked = [];
    for (let from = 0; from < numbers.length; from += 100) {
      const some = numbers.slice(from, from + 100);
      const said = far.ask({ say: some.map((n) => `N=${n}\n`).join('') });
      const wanted = (from / 100) % 2;
      expect(await session.write?.(pointOf(line, 'valve'), wanted, never())).toEqual({ state: 'acknowledged' });
      asked.push(...(await read(session, line, 'valve')).map(({ value }) => value === wanted));
      await said;
    }
    await expect.poll(() => ear.readings.length, { timeout: 5_000 }).toBe(numbers.length);
    expect(valuesOf(ear, 'number')).toEqual(numbers);
    expect(asked).toEqual(asked.map(() => true));
  }, 120_000);

  it('lines of any characters that come in one piece are those that were said', async () => {
    const line = lineTo({ name: { line: '^NAME (?<value>.*)$', type: 'text' } });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    const names = ['plain', 'Füße', '', '温度計', 'plain again', '🌡'];
    for (const all of [names, ['one', 'two', 'three']]) await far.ask({ say: all.map((name) => `NAME ${name}\n`).join('') });
    await expect.poll(() => valuesOf(ear, 'name')).toEqual([...names, 'one', 'two', 'three']);
  });

  it('a line as long as is allowed is one, although its delimiter comes in two pieces', () => {
    const dropped: string[] = [];
    const framer = new DelimiterFramer({ delimiter: Buffer.from('\r\n'), maxLength: 4 }, (why) => void dropped.push(why));
    const frames = ['12', '34\r', '\nabcde', '\r', '\nok\r\n'].flatMap((text) => [...framer.push(Buffer.from(text))]);
    expect(frames.map(String)).toEqual(['1234', 'ok']);
    expect(dropped).toEqual(['too-long']);
  });

  it('whatever comes, in whatever pieces, gives the lines a plain look at the bytes gives', () => {
    const run = { numRuns: soak ? 500_000 : 1_000 };
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r\n', 'T=1;S=2', ';', '\u00e9', ''),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('\n', ';', '\r\n', '::='),
        fc.array(piece, { maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (delimiter, pieces, maxLength) => {
          const got: string[] = [];
          let dropped = 0;
          const framer = new DelimiterFramer({ delimiter: Buffer.from(delimiter), maxLength }, () => {
            dropped += 1;
          });
          const bytes = pieces.map((text) => Buffer.from(text, 'latin1'));
          for (const part of bytes) for (const frame of framer.push(part)) got.push(frame.toString('latin1'));
          const all = Buffer.concat(bytes).toString('latin1').split(delimiter).slice(0, -1);
          const lines = delimiter === '\n' ? all.map((line) => line.replace(/\r$/, '')) : all;
          const short = lines.filter((line) => line.length <= maxLength);
          expect(got).toEqual(short);
          expect(dropped).toBe(all.length - short.length);
        },
      ),
      run,
    );
  }, 600_000);

  it('random bytes for a while: the session lives, and what comes after is heard', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' }, valve }, { timeout: '2s' });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    let state = 42;
    const chance = () => {
      state = (state * 16_807) % 2_147_483_647;
      return state & 0xff;
    };
    for (let i = 0; i < (soak ? 3_000 : 100); i++) {
      const bytes = Buffer.from(Array.from({ length: 200 }, chance));
      await far.ask({ hex: bytes.toString('hex') });
    }
    // Said until there is room for it: what the line cannot hold is lost, here as on a real one.
    const said = async () => {
      await far.ask({ say: '\nT=5;S=5\n' });
      return valuesOf(ear, 'air').at(-1);
    };
    await expect.poll(said).toBe(5);
    expect(new Set(valuesOf(ear, 'air'))).toEqual(new Set([5]));
    expect(await read(session, line, 'valve')).toMatchObject([{ value: 0 }]);
  }, 600_000);
});
