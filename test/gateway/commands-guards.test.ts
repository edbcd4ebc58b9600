/** What stands between a wish and a device: pauses, rates, interlocks, locks, the second question (DESIGN §8). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { actBodySchema, lockBodySchema } from '../../src/contract/command.ts';
import { type Guards, interlockSchema, parseComparison } from '../../src/contract/guards.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import { boiler, pump, setpoint, writes } from './boiler.ts';
import { body, int16, until, user } from './rig.ts';

const admin = { ...user, login: 'grace', name: 'Grace', role: 'Admin' } as const;
const other = { ...user, login: 'bob', name: 'Bob' };
const refusal = async (promise: Promise<unknown>) => {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
};

describe('a pause', () => {
  it('makes the next command wait, says how long, and survives a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldgate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const open = () => openStore({ folder, clock: systemClock, log: silentLog });
    const guards: Guards = { cooldown: 3_600_000 };
    const store = open();
    const before = await boiler({ factor: 1, guards, store });
    expect(await before.gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'verified' });
    await expect(before.gateway.set(setpoint, body(61), user)).rejects.toMatchObject({
      status: 429,
      type: 'too-soon',
      message: expect.stringContaining('a pause of 1h'),
    });
    // Another point has no pause.
    expect(await before.gateway.set(pump, body(true), user)).toMatchObject({ state: 'verified' });
    expect(before.gateway.commands.obstacles('u1', 'setpoint', 'set')).toMatchObject([{ type: 'too-soon', until: expect.any(Number) }]);
    await before.gateway.close();
    await store.close();
    const again = open();
    onTestFinished(() => again.close());
    const after = await boiler({ factor: 1, guards, store: again });
    await expect(after.gateway.set(setpoint, body(61), user)).rejects.toMatchObject({ type: 'too-soon' });
    expect(writes(after.server)).toEqual([]);
  });

  it('is over when it is over, and one of two at once goes', async () => {
    const { gateway, server } = await boiler({ guards: { cooldown: 2_000 } });
    const both = await Promise.all([refusal(gateway.set(setpoint, body(60), user)), refusal(gateway.set(setpoint, body(61), user))]);
    expect(both).toMatchObject([{ state: 'verified' }, { type: 'too-soon' }]);
    await until('the end of the pause', () => gateway.commands.obstacles('u1', 'setpoint', 'set').length === 0);
    expect(await gateway.set(setpoint, body(62), user)).toMatchObject({ state: 'verified' });
    expect(writes(server)).toEqual(['W u1 setpoint 600', 'W u1 setpoint 620']);
  });

  it('by rate lets so many through', async () => {
    const { gateway, server } = await boiler({ factor: 1, guards: { rate: { max: 3, per: 3_600_000 } } });
    for (const value of [60, 61, 62]) expect(await gateway.set(setpoint, body(value), user)).toMatchObject({ state: 'verified' });
    await expect(gateway.set(setpoint, body(63), user)).rejects.toMatchObject({
      status: 429,
      message: expect.stringContaining('at most 3 commands in 1h'),
    });
    expect(writes(server)).toHaveLength(3);
  });
});

describe('an interlock', () => {
  it.each([
    ['pressure < 2', { point: 'pressure', operator: '<', constant: 2 }],
    ['hall.north.pressure >= -1.5e1', { device: 'hall.north', point: 'pressure', operator: '>=', constant: -15 }],
    ['door = closed', { point: 'door', operator: '=', constant: 'closed' }],
    ['u.run == true', { device: 'u', point: 'run', operator: '=', constant: true }],
    ['mode != "on = off"', { point: 'mode', operator: '!=', constant: 'on = off' }],
  ])('%s is understood', (text, meaning) => {
    expect(parseComparison(text)).toEqual({ text, ...meaning });
  });

  it.each([
    '',
    'pressure',
    '< 2',
    'pressure < ',
    'pressure < low',
    'a.b < 2 and c < 3',
    'pressure < 2; x',
    'a = __proto__()',
    'process.exit()',
  ])('%j is refused', (text) => {
    expect(interlockSchema.safeParse(text).success).toBe(false);
  });

  const other16 = { shape: int16 };
  it('asks its points anew when the turn has come, and blocks what does not hold', async () => {
    const { gateway, server, unit, store } = await boiler({
      factor: 1,
      guards: { interlock: 'pressure < 2' },
      more: { pressure: other16 },
    });
    expect(await gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'verified' });
    // Nobody has polled it since.
    unit.registers.set('pressure', '3');
    await expect(gateway.set(setpoint, body(61), user)).rejects.toMatchObject({
      status: 409,
      type: 'interlocked',
      message: expect.stringContaining('pressure < 2 does not hold, it reads 3'),
    });
    expect((await store.commands('1/test', { limit: 1 }))[0]).toMatchObject({ state: 'rejected', value: 61 });
    expect(gateway.commands.obstacles('u1', 'setpoint', 'set')).toMatchObject([{ type: 'interlocked' }]);
    unit.registers.set('pressure', '1');
    expect(await gateway.set(setpoint, body(62), user)).toMatchObject({ state: 'verified' });
    expect(writes(server)).toEqual(['W u1 setpoint 600', 'W u1 setpoint 620']);
  });

  it('blocks when a point is missing, gives no good reading, or does not answer', async () => {
    const missing = await boiler({ guards: { interlock: 'nothing < 2' } });
    await expect(missing.gateway.set(setpoint, body(60), user)).rejects.toMatchObject({
      message: expect.stringContaining('no such point'),
    });
    const bad = await boiler({ guards: { interlock: 'pressure < 2' }, more: { pressure: { ...other16, invalid: [-1] } } });
    bad.unit.registers.set('pressure', '-1');
    await expect(bad.gateway.set(setpoint, body(60), user)).rejects.toMatchObject({
      message: expect.stringContaining('its reading is sentinel'),
    });
    bad.unit.registers.delete('pressure');
    await expect(bad.gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ message: expect.stringContaining('exception-2') });
    expect([...writes(missing.server), ...writes(bad.server)]).toEqual([]);
  });

  it('blocks on a reading that is too old, where the point speaks by itself', async () => {
    const interlock = { all: ['echo < 9'], maxAge: 400 };
    const { gateway, server } = await boiler({ factor: 1, guards: { interlock } });
    await expect(gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ message: expect.stringContaining('no reading yet') });
    await until('it is heard', () => {
      server.set('u1', 'echo', '3');
      return gateway.last({ device: 'u1', point: 'echo' })?.value === 3;
    });
    expect(await gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'verified' });
    await until('it is old', () => gateway.commands.obstacles('u1', 'setpoint', 'set').length > 0);
    await expect(gateway.set(setpoint, body(61), user)).rejects.toMatchObject({ message: expect.stringContaining('older than 400ms') });
  });

  it('of several: all, and one of any', async () => {
    const interlock = { all: ['pressure < 2', 'pump = off'], any: ['mode = idle', 'mode = manual'], maxAge: 60_000 };
    const { gateway, unit } = await boiler({ factor: 1, guards: { interlock }, more: { pressure: other16 } });
    const attempt = async (changes: Record<string, string>) => {
      for (const [name, value] of Object.entries(changes)) unit.registers.set(name, value);
      const outcome = (await refusal(gateway.set(setpoint, body(60), user))) as { state?: string; type?: string };
      return outcome.state ?? outcome.type;
    };
    expect(await attempt({})).toBe('verified');
    expect(await attempt({ mode: 'auto' })).toBe('interlocked');
    expect(await attempt({ mode: 'manual' })).toBe('verified');
    expect(await attempt({ pump: '1' })).toBe('interlocked');
    expect(await attempt({ pump: '0', pressure: '2' })).toBe('interlocked');
    expect(await attempt({ pressure: '-7' })).toBe('verified');
  });
});

describe('a maintenance lock', () => {
  const lock = (reason: string, time?: string) => lockBodySchema.parse({ reason, ...(time ? { for: time } : {}) });

  it('stops every command of its device and says why, who and until when', async () => {
    const { gateway, server } = await boiler();
    await gateway.commands.lock('u1', lock('valve is out', '1h'), other);
    expect(gateway.commands.lockOf('u1')).toMatchObject({ reason: 'valve is out', by: { login: 'bob', name: 'Bob' } });
    await expect(gateway.set(setpoint, body(60), admin)).rejects.toMatchObject({
      status: 423,
      type: 'locked',
      message: expect.stringContaining('valve is out'),
    });
    await expect(gateway.act('u1', 'reboot', actBodySchema.parse({}), user)).rejects.toMatchObject({ status: 423 });
    expect(gateway.commands.obstacles('u1', 'reboot', 'act')).toMatchObject([{ type: 'locked', until: expect.any(Number) }]);
    expect(writes(server)).toEqual([]);
  });

  it('also stops what waits already', async () => {
    const { gateway, server, unit } = await boiler({ factor: 1 });
    unit.delayMs = 150;
    const first = gateway.set(setpoint, body(60), user);
    const second = refusal(gateway.set(setpoint, body(61), user));
    await until('the first is sent', () => writes(server).length === 1);
    await gateway.commands.lock('u1', lock('stop'), user);
    expect(await second).toMatchObject({ type: 'locked' });
    expect(await first).toMatchObject({ state: 'verified' });
    expect(writes(server)).toHaveLength(1);
  });

  it('is lifted by whoever set it, or an Admin; by nobody else', async () => {
    const { gateway } = await boiler();
    await gateway.commands.lock('u1', lock('a'), other);
    await expect(gateway.commands.unlock('u1', user)).rejects.toMatchObject({ status: 403 });
    await expect(gateway.commands.lock('u1', lock('mine now'), user)).rejects.toMatchObject({ status: 409 });
    await gateway.commands.unlock('u1', other);
    await expect(gateway.commands.unlock('u1', other)).rejects.toMatchObject({ status: 404 });
    await gateway.commands.lock('u1', lock('b'), other);
    await gateway.commands.unlock('u1', admin);
    await expect(gateway.commands.lock('nothing', lock('b'), other)).rejects.toMatchObject({ status: 404 });
    expect(await gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'verified' });
  });

  it('ends by itself', async () => {
    const { gateway } = await boiler();
    await gateway.commands.lock('u1', lock('short', '4s'), other);
    await expect(gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ status: 423 });
    await until('the end', () => gateway.commands.lockOf('u1') === undefined);
    expect(await gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'verified' });
  });

  it('outlives a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldgate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const open = () => openStore({ folder, clock: systemClock, log: silentLog });
    const store = open();
    const before = await boiler({ factor: 1, store });
    await before.gateway.commands.lock('u1', lock('valve is out', '1d'), other);
    await before.gateway.close();
    await store.close();
    const again = open();
    onTestFinished(() => again.close());
    const { gateway, server } = await boiler({ factor: 1, store: again });
    await expect(gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ status: 423 });
    expect(writes(server)).toEqual([]);
  });

  it('that cannot be looked up is taken for one', async () => {
    const store = openStore({ folder: undefined, clock: systemClock, log: silentLog });
    onTestFinished(() => store.close());
    const recall = store.recall.bind(store);
    store.recall = (gateway, scope) => (scope === 'locks' ? Promise.reject(new Error('disk gone')) : recall(gateway, scope));
    const { gateway, server } = await boiler({ store });
    await expect(gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ status: 503, message: expect.stringContaining('locked') });
    expect(writes(server)).toEqual([]);
    store.recall = recall;
    expect(await gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'verified' });
  });
});

describe('a confirmation', () => {
  const ask = async (promise: Promise<unknown>) => {
    const fault = (await refusal(promise)) as { status: number; type: string; message: string; extra: { nonce: string; reading: unknown } };
    expect(fault).toMatchObject({ status: 428, type: 'confirm-required' });
    return fault;
  };

  it('asks back with a nonce that is good once, for this person, value and reading', async () => {
    const { gateway, server, unit } = await boiler({ guards: { confirm: true } });
    const fault = await ask(gateway.set(setpoint, body(60), user));
    expect(fault.message).toContain('u1.setpoint is to be set to 60; it reads 50');
    expect(fault.extra.reading).toBe(50);
    await ask(gateway.set(setpoint, body(60, { confirm: 'guessed' }), user));
    await ask(gateway.set(setpoint, body(61, { confirm: fault.extra.nonce }), user));
    await ask(gateway.set(setpoint, body(60, { confirm: fault.extra.nonce }), other));
    expect(writes(server)).toEqual([]);
    expect(await gateway.set(setpoint, body(60, { confirm: fault.extra.nonce }), user)).toMatchObject({ state: 'verified' });
    await ask(gateway.set(setpoint, body(60, { confirm: fault.extra.nonce }), user));
    // What the person saw is not so any more.
    const second = await ask(gateway.set(setpoint, body(70), user));
    unit.registers.set('setpoint', '400');
    await until('another reading', () => gateway.last(setpoint)?.value === 40);
    const third = await ask(gateway.set(setpoint, body(70, { confirm: second.extra.nonce }), user));
    expect(third.message).toContain('reads 40 now, not 60 any more');
    expect(await gateway.set(setpoint, body(70, { confirm: third.extra.nonce }), user)).toMatchObject({ state: 'verified' });
    expect(writes(server)).toEqual(['W u1 setpoint 600', 'W u1 setpoint 700']);
  });

  it('is over after a minute, and a retry with the same key needs none', async () => {
    let aheadMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
    const { gateway, server } = await boiler({ clock, guards: { confirm: true } });
    const late = await ask(gateway.set(setpoint, body(60), user));
    aheadMs += 60_001;
    await ask(gateway.set(setpoint, body(60, { confirm: late.extra.nonce }), user));
    const inTime = await ask(gateway.set(setpoint, body(60), user, 'k'));
    const confirmed = body(60, { confirm: inTime.extra.nonce });
    const done = await gateway.set(setpoint, confirmed, user, 'k');
    expect((await gateway.set(setpoint, confirmed, user, 'k')).id).toBe(done.id);
    expect(writes(server)).toHaveLength(1);
  });

  it('is asked for actions too', async () => {
    const { gateway, server } = await boiler({ actions: [{ id: 'erase', confirm: true }] });
    const run = (parameters: Record<string, unknown>, confirm?: string) =>
      gateway.act('u1', 'erase', actBodySchema.parse({ parameters, ...(confirm ? { confirm } : {}) }), user);
    const fault = await ask(run({ all: true }));
    await ask(run({ all: false }, fault.extra.nonce));
    expect(writes(server)).toEqual([]);
    expect(await run({ all: true }, fault.extra.nonce)).toMatchObject({ state: 'acknowledged' });
  });
});
