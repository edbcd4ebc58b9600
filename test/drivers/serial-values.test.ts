/** What a line says → the values of its points. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { climate, far, lineTo, pause, valuesOf } from './serial-board.ts';
import { driver, hear, listen, open } from './serial-rig.ts';

describe('values', () => {
  it.each([
    ['21.5', 'auto', 21.5, ''],
    [' -3 ', 'auto', -3, ''],
    ['+1e3', 'auto', 1_000, ''],
    ['007', 'auto', 7, ''],
    ['open', 'auto', 'open', ''],
    ['', 'auto', '', ''],
    ['0x10', 'auto', '0x10', ''],
    ['1,5', 'number', null, 'decode'],
    ['nan', 'number', Number.NaN, ''],
    ['-inf', 'auto', Number.NaN, ''],
    ['12', 'text', '12', ''],
    ['9223372036854775807', 'integer', 9223372036854775807n, ''],
    ['-42', 'integer', -42, ''],
    ['9223372036854775808', 'integer', null, 'decode'],
    ['1.0', 'integer', null, 'decode'],
    ['.5', 'number', 0.5, ''],
    ['-   0.5', 'number', -0.5, ''],
    ['+12', 'integer', 12, ''],
    ['', 'number', null, 'decode'],
    ['--1', 'number', null, 'decode'],
    ['1,000', 'number', null, 'decode'],
    ['1_000', 'number', null, 'decode'],
    ['0x1F', 'number', null, 'decode'],
    ['23.5C', 'number', null, 'decode'],
    ['21.5 °C', 'number', null, 'decode'],
    ['7\0', 'number', null, 'decode'],
    ['1e', 'number', null, 'decode'],
    ['-0', 'number', -0, ''],
    ['-0', 'auto', -0, ''],
    ['-0', 'integer', 0, ''],
    // Beyond a double: the pipeline gives what an infinite number gets.
    ['1e400', 'number', Number.POSITIVE_INFINITY, ''],
    ['-1e400', 'auto', Number.NEGATIVE_INFINITY, ''],
    ['1e-400', 'number', 0, ''],
  ])('%j as %s is %s', async (text, type, value, reason) => {
    const line = lineTo({ it: { line: '^V\\[(?<value>.*)\\]$', type } });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: `V[${text}]\r\n` });
    await expect.poll(() => ear.readings.length).toBe(1);
    expect(ear.readings[0]).toMatchObject({ value, reason });
    if (reason !== '') expect(ear.readings[0]?.detail).toMatch(/no (whole )?number|beyond 64 bits/);
  });

  it.each([
    ['12,5', 'auto', 12.5, ''],
    ['-   0,5', 'number', -0.5, ''],
    ['1,25e-1', 'number', 0.125, ''],
    [',5', 'number', 0.5, ''],
    ['7,', 'number', 7, ''],
    ['42', 'number', 42, ''],
    ['nan', 'number', Number.NaN, ''],
    ['9007199254740993', 'integer', 9007199254740993n, ''],
    ['12.5', 'number', null, 'decode'],
    ['12.5', 'auto', '12.5', ''],
    ['1.234,5', 'number', null, 'decode'],
    ['1,234,5', 'number', null, 'decode'],
    ['12,5', 'integer', null, 'decode'],
    ['1,', 'text', '1,', ''],
  ])('with a decimal comma %j as %s is %s', async (text, type, value, reason) => {
    const line = lineTo({ it: { line: '^V\\[(?<value>.*)\\]$', type, decimal: ',' } });
    const ear = hear(await open(line), line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: `V[${text}]\r\n` });
    await expect.poll(() => ear.readings.length).toBe(1);
    expect(ear.readings[0]).toMatchObject({ value, reason });
    if (reason !== '' && type === 'number') expect(ear.readings[0]?.detail).toContain('is no number with a decimal comma');
  });

  it.each([
    [{ as: 'split', separator: ';', index: 1 }, 'ST;12,5;kg'],
    [{ as: 'split', separator: ' ', index: 1 }, 'ST   12,5 kg'],
    [{ as: 'pairs', key: 'T' }, 'H=40;T=12,5'],
    [{ as: 'columns', start: 3, length: 8 }, 'ST    12,5  kg'],
    [{ as: 'json', path: '$.t' }, '{"t":"12,5"}'],
    // JSON's own numbers have a dot whatever the instrument prints.
    [{ as: 'json', path: '$.t' }, '{"t":12.5}'],
    [{ as: 'binary', offset: 1, type: 'string', length: 6 }, 'W 12,5  '],
  ])('a decimal comma taken by %j', async (take, said) => {
    const line = lineTo({ it: { take, type: 'number', decimal: ',' } });
    const ear = hear(await open(line), line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: `${said}\n` });
    await expect.poll(() => valuesOf(ear, 'it')).toEqual([12.5]);
  });

  it.each([
    [{ as: 'split', index: 1 }, /decimal.*would cut a number in two, as take.separator is \\",\\" too/],
    [{ as: 'pairs', key: 'T', between: ',' }, /decimal.*take.between/],
    [{ as: 'pairs', key: 'T', equals: ',' }, /decimal.*take.equals/],
    [{ as: 'nmea', sentence: 'GGA', field: 'altitude' }, /decimal.*stands between the fields of NMEA 0183/],
  ])('a decimal comma that could not come out of %j is a fault of its setting', (take, words) => {
    const parsed = driver.address.safeParse({ take, decimal: ',' });
    expect(parsed.error?.issues).toMatchObject([{ path: ['decimal'] }]);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(words);
  });

  it.each([
    ["more fields than are wanted: the others are nobody's", 'A,1,2,3,4', ['count=2', 'said=2']],
    ['fewer: another kind of line, unless an expression says that it is meant', 'A,1', ['said!decode']],
    ['as many, and the one that is wanted is empty', 'A,1,', ['count!decode', 'said!decode']],
  ])('split: %s', async (_what, said, wanted) => {
    const take = { as: 'split', separator: ',', index: 2 };
    const points = { count: { take, type: 'number' }, said: { line: '^A,', take, type: 'number' }, end: { line: '^END (?<n>1)$' } };
    const line = lineTo(points);
    const heard = listen(await open(line), line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: `${said}\r\nEND 1\n` });
    await expect.poll(() => heard.at(-1)).toBe('end=1');
    expect(heard.slice(0, -1)).toEqual(wanted);
  });

  it('a group that took no part is a bad value of its point, and no other', async () => {
    const line = lineTo({
      a: { line: '^A=(?<a>\\d+)(;B=(?<b>\\d+))?$', field: 'a' },
      b: { line: '^A=(?<a>\\d+)(;B=(?<b>\\d+))?$', field: 'b' },
    });
    const session = await open(line);
    const ear = hear(session, line);
    await pause(limits.serialSettleMs);
    await far.ask({ say: 'A=1\n' });
    await expect
      .poll(() => ear.readings.map(({ point, value, reason }) => [point.id, value, reason]))
      .toEqual([
        ['a', 1, ''],
        ['b', null, 'decode'],
      ]);
  });

  it('tells of an expression that nothing fits, until something does', async () => {
    const line = lineTo({ air: { line: climate, field: 'air' } });
    const session = await open(line);
    const ear = hear(session, line);
    await far.ask({ say: 'TEMP 20.5\n'.repeat(40) });
    await expect
      .poll(() => ear.troubles.get('air'))
      .toMatch(/^none of the 20 lines heard so far fits its expression; the last was "TEMP 20.5"$/);
    await far.ask({ say: 'T=1;S=2\n' });
    await expect.poll(() => valuesOf(ear, 'air')).toEqual([1]);
    expect(ear.troubles.get('air')).toBeUndefined();
  });
});
