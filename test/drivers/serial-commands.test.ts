/** Commands and named actions over a serial line: what is sent, and what its answer means. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serialActionSchema } from '../../drivers/serial/action.ts';
import { actionSchema, type Device } from '../../src/contract/device.ts';
import type { Line } from '../../src/contract/driver.ts';
import { pointOf } from './line.ts';
import { type Address, far, heard, lineTo, read, valve } from './serial-board.ts';
import { never, open, soak } from './serial-rig.ts';

describe('commands', () => {
  const orders: Record<string, Address> = {
    valve,
    mute: { set: { send: 'MUTE={value}\n', ack: '^OK$' } },
    stubborn: { set: { send: 'STUBBORN={value}\n', ack: '^OK$', nak: '^ERR' } },
    unheard: { set: { send: 'STUBBORN={value}\n', ack: '^OK$' } },
    pulse: { set: { send: 'PULSE{value}\n' } },
    mode: { set: { send: 'MODE={value}\n', ack: '^OK$' } },
  };

  it.each([
    ['valve', 1, { state: 'acknowledged' }],
    ['stubborn', 1, { state: 'refused', detail: 'the device said "ERR STUBBORN=1"' }],
    ['unheard', 1, { state: 'unknown', detail: 'sent "STUBBORN=1\\n", and no line said yes or no in 500ms' }],
    ['mute', 1, { state: 'unknown', detail: 'sent "MUTE=1\\n", and no line said yes or no in 500ms' }],
    ['pulse', '', { state: 'acknowledged', detail: 'sent; the device confirms nothing' }],
    ['mode', 'away', { state: 'acknowledged' }],
    ['mode', 'a\nRESET', { state: 'not-sent', detail: 'value has a line end or another control character in it, which cannot be sent' }],
    ['mode', null, { state: 'not-sent', detail: 'there is no value to send' }],
    ['mode', Number.NaN, { state: 'not-sent', detail: 'value is NaN, which cannot be sent' }],
  ])('setting %s to %j: %j', async (id, value, answer) => {
    const line = lineTo(orders, { timeout: answer.state === 'unknown' ? '500ms' : '3s' });
    const session = await open(line);
    expect(await session.write?.(pointOf(line, id), value, never())).toEqual(answer);
    // What needs no answer may still be on its way.
    if (answer.state === 'not-sent') expect(await heard()).toEqual([]);
    else await expect.poll(heard).toHaveLength(1);
  });

  it('numbers are sent with the decimal comma they are read with, and a text is sent as it is', async () => {
    const mode = { request: 'MODE?\n', reply: '^MODE=(?<value>.+)$', decimal: ',', set: { send: 'MODE={value}\n', ack: '^OK$' } };
    const line = lineTo({ mode });
    const session = await open(line);
    for (const [value, held] of [
      [-12.5, '-12,5'],
      [2.5e-7, '2,5e-7'],
      [40, '40'],
      ['a.b', 'a.b'],
    ] as const) {
      expect(await session.write?.(pointOf(line, 'mode'), value, never())).toEqual({ state: 'acknowledged' });
      expect((await far.ask({ held: 'mode' })).value).toBe(held);
      expect(await read(session, line, 'mode')).toMatchObject([{ value, reason: '' }]);
    }
    // A comma that ends a line there cannot stand in a number.
    const divided = lineTo({ mode: { decimal: ',', set: { send: 'MODE={value},' } } }, { framing: { type: 'delimiter', delimiter: ',' } });
    await session.close();
    const other = await open(divided);
    expect(await other.write?.(pointOf(divided, 'mode'), 1.5, never())).toEqual({
      state: 'not-sent',
      detail: 'value has "," in it, which ends a line',
    });
  });

  it('nothing that is sent can be divided into two commands, in any encoding', async () => {
    const line = lineTo({ mode: { set: { send: 'MODE={value}\n' } } }, { encoding: 'latin1' });
    const session = await open(line);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 12 }), async (text) => {
        const answer = await session.write?.(pointOf(line, 'mode'), text, never());
        const sent = answer?.state === 'acknowledged';
        if (sent) await expect.poll(heard, { interval: 1 }).toHaveLength(1);
        else expect(await heard()).toEqual([]);
      }),
      { numRuns: soak ? 3_000 : 60, examples: [['Ċ'], ['\n'], ['\r'], ['a\u0000b'], ['ok']] },
    );
  }, 600_000);

  it('a late yes is not the yes to the next command', async () => {
    await far.ask({ late: 0.7 });
    const slow = { set: { send: 'NUMBER?{value}\n', ack: '^NUMBER=' } };
    const line = lineTo({ slow, quick: { set: { send: 'MUTE={value}\n', ack: '^NUMBER=' } } }, { timeout: '500ms', turnaround: '500ms' });
    const session = await open(line);
    expect(await session.write?.(pointOf(line, 'slow'), 1, never())).toMatchObject({ state: 'unknown' });
    expect(await session.write?.(pointOf(line, 'quick'), 1, never())).toMatchObject({ state: 'unknown' });
  });

  function action(raw: Record<string, unknown>) {
    const { id, title, confirm, role, ...own } = actionSchema.parse(raw);
    return { ...(serialActionSchema.parse(own) as object), id, confirm, ...(title && { title }), ...(role && { role }) };
  }
  const device = (line: Line) => line.devices[0] as Device;

  it('named actions are sent with their parameters, and end as the device says', async () => {
    const line = lineTo({ valve });
    const session = await open(line);
    const act = (raw: Record<string, unknown>, parameters: Record<string, unknown> = {}) =>
      session.act?.(device(line), action({ id: 'it', ...raw }), parameters, never());
    const speed = { send: 'SPEED={speed}\n', ack: '^OK$', parameters: { speed: { type: 'integer', min: 0, max: 100 } } };
    expect(await act({ send: 'RESET\n', ack: '^BOOT' })).toEqual({ state: 'acknowledged' });
    expect(await act(speed, { speed: 42 })).toEqual({ state: 'acknowledged' });
    expect((await far.ask({ held: 'speed' })).value).toBe('42');
    expect(await act({ send: 'JUMP\n', ack: '^OK$', nak: '^ERR' })).toMatchObject({ state: 'refused' });
    const finely = { ...speed, decimal: ',', parameters: { speed: { type: 'number' } } };
    expect(await act(finely, { speed: 42.5 })).toEqual({ state: 'acknowledged' });
    expect((await far.ask({ held: 'speed' })).value).toBe('42,5');
    await heard();
    for (const [parameters, detail] of [
      [{}, 'parameter speed is missing; allowed is a whole number from 0 to 100'],
      [{ speed: 101 }, 'parameter speed is 101; allowed is a whole number from 0 to 100'],
      [{ speed: 1.5 }, 'parameter speed is 1.5; allowed is a whole number from 0 to 100'],
      [{ speed: '7' }, 'parameter speed is "7"; allowed is a whole number from 0 to 100'],
      [{ speed: 1, haste: 2 }, 'there is no parameter "haste"; allowed are speed'],
    ] as const)
      expect(await act(speed, parameters)).toEqual({ state: 'not-sent', detail });
    const mode = { send: 'MODE={mode}\n', ack: '^OK$', parameters: { mode: { type: 'text', options: ['a', 'b'], default: 'b' } } };
    expect(await act(mode, { mode: 'c' })).toEqual({ state: 'not-sent', detail: 'parameter mode is "c"; allowed is "a", "b"' });
    expect(await heard()).toEqual([]);
    expect(await act(mode)).toEqual({ state: 'acknowledged' });
    expect(await heard()).toEqual(['MODE=b']);
  });
});
