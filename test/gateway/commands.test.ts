/** Commands over a real wire to a far end that may ignore, refuse or swallow them (DESIGN §8). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { actBodySchema, type CommandRecord } from '../../src/contract/command.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { boiler, pump, setpoint, writes } from './boiler.ts';
import { body, pause, type Rig, until, user } from './rig.ts';

const ended = (gateway: Rig['gateway'], record: CommandRecord, store: Store) =>
  until('its end', async () => {
    const found = await store.command('1/test', record.id);
    return found?.times.ended !== undefined && gateway && found;
  });

describe('a command', () => {
  it('is recorded, sent, acknowledged, read back and verified, each with its time', async () => {
    const { gateway, server, store } = await boiler();
    const record = await gateway.set(setpoint, body(55.5, { reason: 'cold outside' }), user);
    expect(record).toMatchObject({
      state: 'verified',
      value: 55.5,
      readBack: 55.5,
      device: 'u1',
      point: 'setpoint',
      reason: 'cold outside',
      user: { login: 'ada' },
    });
    const { queued = 0, sent = 0, acknowledged = 0, verified = 0, ended: end = 0 } = record.times;
    expect(queued).toBeGreaterThan(0);
    expect([queued, sent, acknowledged, verified, end]).toEqual([queued, sent, acknowledged, verified, end].toSorted((a, b) => a - b));
    expect(writes(server)).toEqual(['W u1 setpoint 555']);
    expect(await store.command('1/test', record.id)).toEqual(record);
    // The value read back is a sample like any other.
    expect(gateway.last(setpoint)?.value).toBe(55.5);
    expect(gateway.counters().commands).toEqual({ verified: 1 });
  });

  it('takes names of the enum, and what is rounded to what the register holds is verified as such', async () => {
    const { gateway, server } = await boiler();
    expect((await gateway.set(setpoint, body('hottest'), user)).readBack).toBe(90);
    expect((await gateway.set(pump, body('on'), user)).readBack).toBe(true);
    expect(writes(server)).toEqual(['W u1 setpoint 900', 'W u1 pump true']);
  });

  it.each([
    [setpoint, 95, 422, 'allowed is 20 to 90'],
    [setpoint, 55.3, 422, 'plus a multiple of 0.5'],
    [setpoint, 'warm', 400, 'allowed is a number or one of "hottest"'],
    [setpoint, true, 400, 'allowed is a number'],
    [pump, 2, 400, 'true or false'],
    [{ device: 'u1', point: 'mode' }, 'x', 422, 'not writable'],
    [{ device: 'u1', point: 'nothing' }, 1, 404, 'no point'],
  ])('%o = %o is refused with %i and words, and nothing is sent', async (key, value, status, words) => {
    const { gateway, server, store } = await boiler();
    await expect(gateway.set(key, body(value), user)).rejects.toMatchObject({ status, message: expect.stringContaining(words) });
    expect(writes(server)).toEqual([]);
    // Refused by a limit is an attempt; not understood is none.
    const attempts = await until('its record', async () => {
      const found = await store.commands('1/test', { limit: 10 });
      return (status !== 422 || found.length > 0) && found;
    });
    expect(attempts.map(({ state, refusal }) => ({ state, status: refusal?.status }))).toEqual(
      status === 422 ? [{ state: 'rejected', status }] : [],
    );
  });

  it('that the device takes but ignores ends as mismatch', async () => {
    const { gateway, unit } = await boiler();
    unit.ignoresWrites = true;
    const record = await gateway.set(setpoint, body(60), user);
    expect(record).toMatchObject({ state: 'mismatch', readBack: 50 });
    expect(record.detail).toContain('reads 50, not 60');
  });

  it('that the device refuses ends as failed', async () => {
    const { gateway, unit } = await boiler();
    unit.refusesWrites = true;
    expect(await gateway.set(setpoint, body(60), user)).toMatchObject({ state: 'failed', detail: 'exception 4' });
  });

  it('without an answer ends as unknown and is never sent again', async () => {
    const { gateway, server, unit } = await boiler();
    unit.dumbAfterWrites = true;
    const record = await gateway.set(setpoint, body(60), user);
    expect(record).toMatchObject({ state: 'unknown', detail: 'no answer' });
    await pause(300);
    expect(writes(server)).toHaveLength(1);
  });

  it('whose link breaks after the bytes have left ends as unknown and is not sent on the new link', async () => {
    const { gateway, server, unit } = await boiler();
    unit.delayMs = 40;
    const setting = gateway.set(setpoint, body(60), user);
    await until('the write', () => writes(server).length === 1);
    server.hangUp();
    expect(await setting).toMatchObject({ state: 'unknown' });
    await until('the link is back', () => gateway.connections()[0]?.opens === 2 && gateway.devices()[0]?.state === 'online');
    await pause(100);
    expect(writes(server)).toHaveLength(1);
  });

  it('ON, then OFF 5 ms later: both reach the wire in order', async () => {
    const { gateway, server, unit } = await boiler({ factor: 5 });
    unit.delayMs = 10;
    const on = gateway.set(pump, body(true), user);
    await pause(5);
    const off = gateway.set(pump, body(false), user);
    expect(await off).toMatchObject({ state: 'verified', readBack: false });
    expect(writes(server)).toEqual(['W u1 pump true', 'W u1 pump false']);
    expect(unit.registers.get('pump')).toBe('false');
    // The first may have been seen before it was overwritten; it never counts as contradicted.
    expect(['acknowledged', 'verified']).toContain((await on).state);
  });

  it('a momentary one is sent and not looked at', async () => {
    const { gateway, server } = await boiler();
    expect(await gateway.set({ device: 'u1', point: 'button' }, body(true), user)).toMatchObject({ state: 'acknowledged' });
    expect(writes(server)).toEqual(['W u1 button true']);
  });

  it('can be verified at another point', async () => {
    const { gateway, unit } = await boiler();
    expect(await gateway.set({ device: 'u1', point: 'effect' }, body(777), user)).toMatchObject({ state: 'verified', readBack: 'idle' });
    unit.registers.set('mode', 'broken');
    expect(await gateway.set({ device: 'u1', point: 'effect' }, body(778), user)).toMatchObject({ state: 'mismatch', readBack: 'broken' });
  });

  it('to a point that speaks by itself is verified by what it says after the write', async () => {
    const { gateway, unit, server } = await boiler();
    await until('listening', async () => {
      server.set('u1', 'echo', '3');
      await pause(5);
      return gateway.last({ device: 'u1', point: 'echo' })?.value === 3;
    });
    expect(await gateway.set({ device: 'u1', point: 'echo' }, body(4), user)).toMatchObject({ state: 'verified', readBack: 4 });
    unit.ignoresWrites = true;
    const silent = await gateway.set({ device: 'u1', point: 'echo' }, body(5), user);
    expect(silent).toMatchObject({ state: 'unknown', detail: expect.stringContaining('no reading of u1.echo came') });
  });
});

describe('a named action', () => {
  it('is recorded, sent and answered for; one that does not exist is 404', async () => {
    const { gateway, server, unit, store } = await boiler();
    const run = actBodySchema.parse({ parameters: { delay: 3 } });
    const record = await gateway.act('u1', 'reboot', run, user);
    expect(record).toMatchObject({ kind: 'act', point: 'reboot', state: 'acknowledged', value: '{"delay":3}' });
    expect(writes(server)).toEqual(['W u1 reboot {"delay":3}']);
    expect(await store.command('1/test', record.id)).toEqual(record);
    unit.refusesWrites = true;
    expect(await gateway.act('u1', 'reboot', run, user)).toMatchObject({ state: 'failed' });
    await expect(gateway.act('u1', 'explode', run, user)).rejects.toMatchObject({ status: 404 });
  });
});

describe('compare and set', () => {
  it('is sent only if the point reads what is expected, asked anew', async () => {
    const { gateway, server, unit, store } = await boiler({ factor: 1 });
    unit.registers.set('setpoint', '510');
    await expect(gateway.set(setpoint, body(60, { expect: 50 }), user)).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('reads 51, not 50'),
    });
    expect(writes(server)).toEqual([]);
    expect((await store.commands('1/test', { limit: 10 }))[0]).toMatchObject({ state: 'rejected' });
    expect(await gateway.set(setpoint, body(60, { expect: 51.04 }), user)).toMatchObject({ state: 'verified' });
  });

  it('lets one of two that expect the same through', async () => {
    const { gateway, server } = await boiler();
    const both = await Promise.allSettled([
      gateway.set(setpoint, body(60, { expect: 50 }), user),
      gateway.set(setpoint, body(61, { expect: 50 }), user),
    ]);
    expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
    expect(writes(server)).toEqual(['W u1 setpoint 600']);
  });
});

describe('a command that cannot go', () => {
  it('gets 503 while the link is down', async () => {
    const { gateway, server, store } = await boiler();
    await server.stop();
    await until('down', () => gateway.connections()[0]?.state === 'down');
    await expect(gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ status: 503, type: 'device-offline' });
    const [attempt] = await until('the record of the attempt', async () => {
      const found = await store.commands('1/test', { limit: 10 });
      return found.length > 0 && found;
    });
    expect(attempt).toMatchObject({ state: 'rejected', refusal: { type: 'device-offline' } });
  });

  it('expires when it waits too long for its turn, and is not sent', async () => {
    const { gateway, server, unit, store } = await boiler({ factor: 1 });
    unit.delayMs = 300;
    const first = gateway.set(setpoint, body(60), user);
    const second = await gateway.set(setpoint, body(61, { expires: 50 }), user);
    expect(second).toMatchObject({ state: 'expired', detail: expect.stringContaining('not sent within 50ms') });
    unit.delayMs = 0;
    await first;
    expect(writes(server)).toEqual(['W u1 setpoint 600']);
    expect(await store.command('1/test', second.id)).toEqual(second);
  });

  it('answers after `wait` though it is still under way', async () => {
    const { gateway, unit, store } = await boiler({ factor: 1 });
    unit.delayMs = 200;
    const record = await gateway.set(setpoint, body(60, { wait: 20 }), user);
    expect(record.times.ended).toBeUndefined();
    unit.delayMs = 0;
    expect(await ended(gateway, record, store)).toMatchObject({ state: 'verified' });
  });

  it('is refused with 429 when too many are under way', async () => {
    const { gateway, unit, server } = await boiler({ factor: 1 });
    unit.delayMs = 2_000;
    const many = Array.from({ length: 256 }, () => gateway.set(pump, body(true, { wait: 0, expires: 100 }), user));
    await expect(gateway.set(pump, body(true), user)).rejects.toMatchObject({ status: 429 });
    await Promise.all(many);
    expect(writes(server).length).toBeLessThanOrEqual(1);
  });

  it('is not sent if it cannot be recorded', async () => {
    const { gateway, store, server } = await boiler();
    store.saveCommand = () => Promise.reject(new Error('disk full'));
    await expect(gateway.set(setpoint, body(60), user)).rejects.toMatchObject({ status: 503, type: 'storage-failed' });
    expect(writes(server)).toEqual([]);
  });
});

describe('an idempotency key', () => {
  it('makes two the same, at once and later, and refuses another command', async () => {
    const { gateway, server } = await boiler();
    const [one, two] = await Promise.all([gateway.set(setpoint, body(60), user, 'key-1'), gateway.set(setpoint, body(60), user, 'key-1')]);
    expect(two.id).toBe(one.id);
    expect((await gateway.set(setpoint, body(60), user, 'key-1')).id).toBe(one.id);
    expect(writes(server)).toHaveLength(1);
    await expect(gateway.set(setpoint, body(61), user, 'key-1')).rejects.toMatchObject({ status: 422, type: 'key-reused' });
  });
});

describe('after a crash', () => {
  it('commands that were under way are recorded as unknown', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldgate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const open = () => openStore({ folder, clock: systemClock, log: silentLog });
    const before = open();
    const left: CommandRecord = {
      id: 'left',
      ...{ device: 'u1', point: 'pump', kind: 'set', value: true, state: 'sent' },
      user: { login: 'ada', name: '', role: 'Editor' },
      times: { queued: 1, sent: 2 },
    };
    await before.saveCommand('1/test', left);
    await before.close();
    const store = open();
    onTestFinished(() => store.close());
    const { gateway } = await boiler({ store });
    await until('the end', async () => (await store.command('1/test', 'left'))?.times.ended);
    expect(await store.command('1/test', 'left')).toMatchObject({ state: 'unknown' });
    expect(await gateway.set(pump, body(true), user)).toMatchObject({ state: 'verified' });
  });
});

describe('a storm', () => {
  it('of commands and polls never overlaps on a bus that takes one request at a time', async () => {
    const { gateway, server, unit } = await boiler({ factor: 1, timeoutMs: 30_000 });
    unit.delayMs = 1;
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        gateway.set(index % 2 ? pump : setpoint, body(index % 2 ? true : 50 + index / 2, { expires: 600_000, wait: 600_000 }), user),
      ),
    );
    expect(server.overlaps).toBe(0);
    expect(writes(server)).toHaveLength(60);
    expect(results.every((record) => ['verified', 'acknowledged'].includes(record.state))).toBe(true);
    const order = writes(server)
      .filter((text) => text.includes('setpoint'))
      .map((text) => Number(text.split(' ')[3]));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });
});

describe('reading now', () => {
  it('asks the device, and says 404, 409 and 503 where it cannot', async () => {
    const { gateway, server, unit } = await boiler({ factor: 1 });
    const signal = AbortSignal.timeout(5_000);
    unit.registers.set('setpoint', '700');
    expect(await gateway.readNow(setpoint, signal)).toMatchObject({ value: 70, quality: 'good' });
    await expect(gateway.readNow({ device: 'u1', point: 'no' }, signal)).rejects.toMatchObject({ status: 404 });
    await expect(gateway.readNow({ device: 'u1', point: 'button' }, signal)).rejects.toMatchObject({ status: 409 });
    await expect(gateway.readNow({ device: 'u1', point: 'echo' }, signal)).rejects.toMatchObject({ status: 409 });
    await server.stop();
    await until('down', () => gateway.connections()[0]?.state === 'down');
    await expect(gateway.readNow(setpoint, signal)).rejects.toMatchObject({ status: 503 });
  });
});
