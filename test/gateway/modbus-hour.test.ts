/** An hour of refusals (facts/gateways.md §3: queues or memory that grow on exceptions), behind one gateway with a unit that is well. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { startPython } from '../far/python.ts';
import { fastClock } from './clocks.ts';
import { openGateway } from './open.ts';
import { until } from './rig.ts';

const minuteMs = 60_000;
/** Of test/far/modbus_rogue.py: 1 is well, 104 answers exception 4, 106 exception 6, 111 exception 11 as a gateway does whose target is silent. */
const units = [1, 104, 106, 111];

it('of exceptions 4, 6 and 11: no queue and no memory grows, the silent target is set aside, and the unit beside them is well', async () => {
  const far = await startPython('modbus_rogue.py');
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-hour-'));
  const clock = fastClock(360);
  const { gateway, close } = openGateway({ key: '1/hour', clock, folder });
  onTestFinished(async () => {
    await close();
    await far.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const settings = {
    version: 1,
    connections: [{ id: 'bus', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '30s' }],
    devices: units.map((unitId) => ({
      id: `u${unitId}`,
      connection: 'bus',
      address: { unitId },
      interval: '2s',
      points: [{ id: 'r', address: { table: 'holding', register: 7 } }],
    })),
  };
  const plan = readSettings({ jsonData: Buffer.from(JSON.stringify(settings)), secureJsonData: {} }, drivers);
  expect(plan.faults).toEqual([]);
  await gateway.apply(plan);
  const startMs = clock.monotonicMs();
  const passed = (minutes: number) => until(`${minutes} minutes`, () => clock.monotonicMs() - startMs > minutes * minuteMs, 60_000);
  const asked = async () => Map.groupBy((await far.ask({ requests: true })).requests ?? [], ([unit]) => unit);

  await passed(15);
  const before = heapBytes();
  await asked();
  await passed(75);
  const counts = await asked();
  expect(counts.get(104)?.length).toBeGreaterThan(500);
  expect(counts.get(106)?.length).toBeGreaterThan(500);
  expect(counts.get(1)?.length).toBeGreaterThan(500);
  // Once a minute, to see whether it has come back.
  expect(counts.get(111)?.length).toBeGreaterThan(30);
  expect(counts.get(111)?.length).toBeLessThan(70);
  expect(gateway.connections()[0]).toMatchObject({ state: 'up', opens: 1 });
  expect(gateway.connections()[0]?.queued).toBeLessThanOrEqual(units.length);
  expect(gateway.devices().map(({ id, state }) => `${id} ${state}`)).toEqual(['u1 online', 'u104 online', 'u106 online', 'u111 offline']);
  expect(gateway.last({ device: 'u1', point: 'r' })).toMatchObject({ value: 7, quality: 'good' });
  expect(gateway.last({ device: 'u104', point: 'r' })).toMatchObject({ value: null, reason: 'exception-4' });
  expect(heapBytes() - before, 'bytes that stay of an hour').toBeLessThan(8e6);
}, 180_000);

/** What is in use after everything that is not was thrown away. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
