/** kill -9 while commands are under way: they are found, reported as unknown, read, and never sent again (DESIGN §8). */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import { writes } from './boiler.ts';
import { crashPlan } from './crash-plan.ts';
import { plantServer } from './plant-server.ts';
import { body, pause, rig, until, user } from './rig.ts';

it.each([
  ['before the device has done it', true, 3],
  ['after the device has done it, before its answer', false, 7],
])(
  'a command that a kill cuts off %s ends as unknown with what the point reads, and is not sent again',
  async (_name, ignoresWrites, reads) => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldgate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const server = await plantServer();
    onTestFinished(() => server.stop());
    const unit = { registers: new Map([['level', '3']]), ignoresWrites, dumbAfterWrites: true };
    server.units.set('u1', unit);
    const child = spawn(process.execPath, [fileURLToPath(new URL('./crash-child.ts', import.meta.url)), folder, String(server.port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let recorded = false;
    child.stdout.on('data', () => {
      recorded = true;
    });
    const exited = new Promise((resolve) => child.on('close', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    await until('the write, and the record of the one that waits', () => writes(server).length > 0 && recorded, 20_000);
    child.kill('SIGKILL');
    await exited;
    const sent = writes(server).length;
    expect(sent).toBe(1);

    const store = openStore({ folder, clock: systemClock, log: silentLog });
    onTestFinished(() => store.close());
    const { gateway, driver } = await rig({ factor: 1, store });
    await gateway.apply(crashPlan(driver, server.port));
    const record = await until('what it reads', async () => {
      const [found] = (await store.commands('1/test', { limit: 10 })).filter(({ idempotencyKey }) => idempotencyKey === 'sent');
      return found?.readBack !== undefined && found;
    });
    expect(record).toMatchObject({ state: 'unknown', value: 7, readBack: reads });
    expect(record.detail).toBe(`the gateway ended before the command did; after the restart it reads ${reads}`);
    const waited = (await store.commands('1/test', { limit: 10 })).find(({ idempotencyKey }) => idempotencyKey === 'waits');
    expect(waited).toMatchObject({ state: 'unknown', value: 8 });
    // Whoever asks again with the same key gets the same command and its end.
    const again = await gateway.set({ device: 'u1', point: 'level' }, body(7), user, 'sent');
    expect(again).toMatchObject({ id: record.id, state: 'unknown' });
    await pause(100);
    expect(writes(server)).toHaveLength(sent);
    expect(await store.checkAudit('1/test')).toMatchObject({ intact: true });
    Object.assign(unit, { dumbAfterWrites: false, ignoresWrites: false });
    expect(await gateway.set({ device: 'u1', point: 'level' }, body(9), user)).toMatchObject({ state: 'verified' });
  },
);

const users = 50;
const each = process.env.FIELDGATE_SOAK ? 200 : 20;
it(`${users * each} commands of ${users} users at once: the order of each point is kept, none is lost, none is doubled`, async () => {
  const server = await plantServer();
  onTestFinished(() => server.stop());
  const { gateway, store, driver } = await rig({ factor: 1 });
  const plan = crashPlan(driver, server.port);
  const [line] = plan.connections;
  const model = line?.devices[0];
  const point = model?.points[0];
  if (!line || !model || !point) throw new Error('the plan has no point');
  // Five devices behind one bus with two points each: ten rows of commands.
  line.devices = Array.from({ length: 5 }, (_, d) => ({
    ...model,
    ...{ id: `u${d}`, title: `u${d}`, address: { unit: `u${d}` } },
    points: ['a', 'b'].map((id) => ({
      ...point,
      ...{ id, device: `u${d}`, intervalMs: 1_000, address: { register: id, shape: { type: 'float64' as const }, heard: false } },
    })),
  }));
  for (const { id } of line.devices)
    server.units.set(id, {
      registers: new Map([
        ['a', '0'],
        ['b', '0'],
      ]),
    });
  await gateway.apply(plan);
  await until('a reading of each', () => line.devices.every(({ id }) => gateway.last({ device: id, point: 'b' })));
  const asked = new Map<string, number[]>();
  let next = 0;
  const records = await Promise.all(
    Array.from({ length: users }, async (_, person) => {
      const own = [];
      for (let i = 0; i < each; i++) {
        const key = { device: `u${person % 5}`, point: person % 2 ? 'a' : 'b' };
        const value = ++next;
        const name = `${key.device} ${key.point}`;
        asked.set(name, [...(asked.get(name) ?? []), value]);
        own.push(await gateway.set(key, body(value, { wait: 600_000, expires: 600_000 }), { ...user, login: `user-${person}` }));
      }
      return own;
    }),
  );
  const all = records.flat();
  expect(all).toHaveLength(users * each);
  expect(new Set(all.map(({ id }) => id)).size).toBe(users * each);
  expect(all.filter(({ state }) => state !== 'verified' && state !== 'acknowledged')).toEqual([]);
  for (const [name, values] of asked) {
    const written = writes(server).filter((text) => text.startsWith(`W ${name} `));
    expect(written.map((text) => Number(text.split(' ')[3]))).toEqual(values);
  }
  expect(writes(server)).toHaveLength(users * each);
  expect(server.overlaps).toBe(0);
  expect((await store.commands('1/test', { limit: 100_000 })).filter(({ times }) => times.ended !== undefined)).toHaveLength(users * each);
  expect(await store.checkAudit('1/test')).toMatchObject({ intact: true });
}, 600_000);
