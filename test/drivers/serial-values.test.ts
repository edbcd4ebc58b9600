/** What a line says → the values of its points. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { climate, far, lineTo, pause, valuesOf } from './serial-board.ts';
import { hear, open } from './serial-rig.ts';

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
