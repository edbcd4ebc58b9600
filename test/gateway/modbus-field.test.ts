/** What fails in the field (facts/gateways.md §3) with the Modbus driver: each must not fail here. The wire is toxiproxy's, the devices are test/far's. */
import { expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { startToxiproxy, type Toxic } from '../far/toxiproxy.ts';
import { fastClock } from './clocks.ts';
import { openGateway } from './open.ts';
import { body, until, user } from './rig.ts';

interface Plant {
  gateway: Gateway;
  /** How often a register was read well so far. */
  good(): number;
}

/** Time runs `factor` times as fast for the gateway; `ports` have one connection each, with a device for each unit. */
async function plantAt(ports: number[], units: number[], options: Record<string, unknown> = {}, factor = 1): Promise<Plant> {
  const { gateway, close } = openGateway({ key: '1/field', clock: fastClock(factor) });
  onTestFinished(close);
  const settings = {
    version: 1,
    connections: ports.map((port, index) => ({
      id: `c${index}`,
      kind: 'modbus',
      transport: { type: 'tcp', host: '127.0.0.1', port },
      ...options,
    })),
    devices: ports.flatMap((_, index) =>
      units.map((unitId) => ({
        id: `c${index}u${unitId}`,
        connection: `c${index}`,
        address: { unitId },
        interval: '1s',
        points: [{ id: 'r', address: { table: 'holding', register: 7 }, access: 'read-write', enum: { 0: 'off', 1: 'on' } }],
      })),
    ),
  };
  const plan = readSettings({ jsonData: Buffer.from(JSON.stringify(settings)), secureJsonData: {} }, drivers);
  expect(plan.faults).toEqual([]);
  await gateway.apply(plan);
  const good = () => gateway.devices().reduce((sum, { samples, badSamples }) => sum + samples - badSamples, 0);
  await until('the first value', () => good() > 0);
  return { gateway, good };
}

async function rogue(port = 0): Promise<FarProgram> {
  const far = await startPython('modbus_rogue.py', port);
  onTestFinished(() => far.kill());
  return far;
}

const toxics: [string, Toxic | 'cut' | 'restart'][] = [
  ['falls silent and is never closed (half-open TCP)', { type: 'timeout', attributes: { timeout: 0 } }],
  ['is reset (broken pipe)', { type: 'reset_peer', attributes: { timeout: 0 } }],
  ['ends in the middle of every answer', { type: 'limit_data', attributes: { bytes: 7 } }],
  ['is closed and refuses', 'cut'],
  ['leads to a device that starts again', 'restart'],
];

it.each(toxics)(
  'a link that %s: it is noticed, and when the wire is well data resumes by themselves',
  async (_what, toxic) => {
    const far = await rogue();
    const proxy = await startToxiproxy(far.port);
    onTestFinished(() => proxy.close());
    const { gateway, good } = await plantAt([proxy.port], [1], { timeout: '5s' }, 20);
    if (toxic === 'cut') await proxy.enable(false);
    else if (toxic === 'restart') await far.kill();
    else await proxy.poison(toxic);
    await until('noticed', () => gateway.devices()[0]?.state === 'offline');
    if (toxic === 'cut') await proxy.enable(true);
    else if (toxic === 'restart') await rogue(far.port);
    else await proxy.cure();
    const before = good();
    await until('data again', () => good() > before + 2 && gateway.devices()[0]?.state === 'online');
    expect(gateway.last({ device: 'c0u1', point: 'r' })).toMatchObject({ value: 7, quality: 'good' });
  },
  60_000,
);

it('a wire that is slow and cuts every packet into pieces costs no value', async () => {
  const far = await rogue();
  const proxy = await startToxiproxy(far.port);
  onTestFinished(() => proxy.close());
  await proxy.poison({ type: 'latency', attributes: { latency: 20, jitter: 10 } });
  await proxy.poison({ type: 'slicer', attributes: { average_size: 3, size_variation: 2, delay: 500 } });
  const { gateway, good } = await plantAt([proxy.port], [1, 15], { timeout: '20s' }, 5);
  await until('twenty values', () => good() > 20, 30_000);
  expect(gateway.devices().map(({ badSamples }) => badSamples)).toEqual([0, 0]);
  expect(gateway.connections()[0]).toMatchObject({ opens: 1, discarded: {} });
}, 60_000);

it('a device that takes one request at a time is never asked before it has answered, whoever asks', async () => {
  const far = await rogue();
  // Two connections to one endpoint are one bus.
  const { gateway } = await plantAt([far.port, far.port], [31], { timeout: '10s' });
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      gateway.set({ device: `c${index % 2}u31`, point: 'r' }, body(index % 2, { expires: 600_000, wait: 600_000 }), user),
    ),
  );
  const { value, requests = [] } = await far.ask({ requests: true });
  expect(value, 'requests before the last answer').toBe(0);
  expect(requests.filter(([, code]) => code === 6)).toHaveLength(60);
  // One that a later one has overtaken is not verified any more.
  expect(outcomes.filter(({ state }) => !['acknowledged', 'verified', 'mismatch'].includes(state))).toEqual([]);
}, 60_000);

it('ON, and OFF 5 ms later: both reach the wire in this order, and OFF is what stays', async () => {
  const far = await rogue();
  const { gateway } = await plantAt([far.port], [31], { timeout: '10s' });
  await far.ask({ requests: true });
  const on = gateway.set({ device: 'c0u31', point: 'r' }, body('on', { expires: 600_000, wait: 600_000 }), user);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const off = await gateway.set({ device: 'c0u31', point: 'r' }, body('off', { expires: 600_000, wait: 600_000 }), user);
  expect(['verified', 'mismatch']).toContain((await on).state);
  expect(off).toMatchObject({ state: 'verified', readBack: 0 });
  const { requests = [] } = await far.ask({ requests: true });
  expect(requests.filter(([, code]) => code === 6)).toHaveLength(2);
}, 30_000);

it('a write that the device confirms and does not do is a mismatch; one it refuses has failed', async () => {
  const far = await rogue();
  const { gateway } = await plantAt([far.port], [1, 104], { timeout: '10s' });
  // Register 7 of unit 1 holds 7, whatever is written to it.
  const wait = { wait: 20_000 };
  expect(await gateway.set({ device: 'c0u1', point: 'r' }, body(1, wait), user)).toMatchObject({ state: 'mismatch', readBack: 7 });
  expect(await gateway.set({ device: 'c0u104', point: 'r' }, body(1, wait), user)).toMatchObject({ state: 'failed' });
}, 60_000);

it('one silent unit of ten costs the other nine nothing once it is set aside', async () => {
  const [well, ill] = [await startPython('modbus_units.py'), await startPython('modbus_units.py')];
  onTestFinished(async () => void (await Promise.all([well.kill(), ill.kill()])));
  await ill.ask({ silent: 10 });
  const units = Array.from({ length: 10 }, (_, index) => index + 1);
  // Side by side, so that a busy machine is as busy for both.
  const { gateway } = await plantAt([well.port, ill.port], units, { timeout: '1s' }, 2);
  await until('it is offline', () => gateway.devices().some(({ id, state }) => id === 'c1u10' && state === 'offline'), 30_000);
  const count = async (far: FarProgram) => {
    const { value } = await far.ask({});
    return units.slice(0, 9).reduce((sum, unit) => sum + ((value as Record<string, number>)[unit] ?? 0), 0);
  };
  await Promise.all([count(well), count(ill)]);
  let usual = 0;
  let beside = 0;
  await until(
    'three hundred polls',
    async () => {
      usual += await count(well);
      beside += await count(ill);
      return usual > 300;
    },
    120_000,
  );
  // The aim is 98 %; its share of one poll in each of the nine that are on their way is taken off.
  expect(beside / (usual - 9)).toBeGreaterThan(0.95);
}, 200_000);
