/** Gateways on serial ports: two connections on one line, a unit that is silent, and a plug that is pulled. */
import { expect, it, onTestFinished } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import { systemClock as clock } from '../../src/contract/clock.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { silentLog } from '../../src/contract/log.ts';
import { createBuses } from '../../src/gateway/bus.ts';
import { createGateway } from '../../src/gateway/create.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { PlannedConnection } from '../../src/gateway/plan.ts';
import { TrafficPool } from '../../src/gateway/traffic.ts';
import { openStore } from '../../src/store/open.ts';
import { buildLine } from '../drivers/line.ts';
import { portName } from '../far/port.ts';
import { startPython } from '../far/python.ts';
import { body, planOf, until, user } from './rig.ts';

const driver = modbus as Driver;

function connection(id: string, path: string, units: number[], transport: Record<string, unknown> = {}): PlannedConnection {
  const line = buildLine(driver, {
    connection: { transport: { type: 'rtu', path, baudRate: 38_400, turnaround: '100ms', ...transport }, timeout: '150ms' },
    devices: units.map((unitId) => ({
      id: `u${unitId}`,
      address: { unitId },
      points: [{ id: 'power', address: { table: 'holding', register: unitId === 1 ? 30 : 2 }, access: 'read-write' }],
    })),
  });
  const devices = line.devices.map((device) => ({
    ...device,
    connection: id,
    points: device.points.map((point) => ({ ...point, intervalMs: 100 })),
  }));
  return { connection: { ...line.connection, id, kind: 'modbus' }, driver, devices, secrets: {} };
}

function gateways(count: number): Gateway[] {
  const store = openStore({ folder: undefined, clock, log: silentLog });
  const buses = createBuses({ clock });
  const made = Array.from({ length: count }, (_, index) =>
    createGateway({ trafficPool: new TrafficPool(), key: `1/${index}`, store, buses, clock, random: Math.random, log: silentLog }),
  );
  onTestFinished(async () => {
    await Promise.all(made.map((gateway) => gateway.close()));
    await store.close();
  });
  return made;
}

async function farEnd() {
  const path = portName();
  const far = await startPython('modbus_rtu.py', path);
  onTestFinished(() => far.kill());
  return { path, far };
}

const value = (gateway: Gateway, device: string) => gateway.last({ device, point: 'power' })?.value;
const state = (gateway: Gateway, id: string) => gateway.connections().find((one) => one.id === id);

it('two connections on one line share its port: both deliver, both obey, a silent unit costs the others little', async () => {
  const { path, far } = await farEnd();
  const [gateway] = gateways(1) as [Gateway];
  await gateway.apply(planOf(connection('meters', path, [20, 4]), connection('valves', path, [1, 21])));
  await until('values of both', () => value(gateway, 'u20') === 20 * 256 + 2 && value(gateway, 'u21') === 21 * 256 + 2);
  expect([state(gateway, 'meters')?.state, state(gateway, 'valves')?.state]).toEqual(['up', 'up']);
  expect(await gateway.set({ device: 'u1', point: 'power' }, body(77), user)).toMatchObject({ state: 'verified', readBack: 77 });
  expect((await far.ask({ get: true, table: 'holding', register: 30, type: 'uint16', order: 'AB' })).value).toBe(77);
  await until('the silent unit is offline', () => gateway.devices().find(({ id }) => id === 'u4')?.state === 'offline');
  const before = state(gateway, 'valves')?.requests ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  // Two units each 100 ms: 40 requests, less what the probes of the silent one take.
  expect((state(gateway, 'valves')?.requests ?? 0) - before).toBeGreaterThan(20);
}, 30_000);

it('a pulled plug takes both down with the reason; plugged in again, both are up by themselves', async () => {
  const { path, far } = await farEnd();
  const [gateway] = gateways(1) as [Gateway];
  await gateway.apply(planOf(connection('meters', path, [20]), connection('valves', path, [21])));
  await until('values of both', () => value(gateway, 'u20') === 20 * 256 + 2 && value(gateway, 'u21') === 21 * 256 + 2);
  await far.ask({ unplug: true });
  await until('both down', () => state(gateway, 'meters')?.state === 'down' && state(gateway, 'valves')?.state === 'down');
  expect(state(gateway, 'meters')?.error).toMatch(/is gone: it was unplugged|is not there/);
  await until('offline', () => gateway.devices().every((device) => device.state === 'offline'));
  await far.ask({ plug: true });
  await until('both up', () => state(gateway, 'meters')?.state === 'up' && state(gateway, 'valves')?.state === 'up');
  await until('values again', () => value(gateway, 'u20') === 20 * 256 + 2 && value(gateway, 'u21') === 21 * 256 + 2);
}, 30_000);

it('another data source gets the line only on the same terms, and all of it when the first lets go', async () => {
  const { path } = await farEnd();
  const [first, second] = gateways(2) as [Gateway, Gateway];
  await first.apply(planOf(connection('meters', path, [20])));
  await until('a value', () => value(first, 'u20') === 20 * 256 + 2);
  await second.apply(planOf(connection('other', path, [21], { baudRate: 9_600 })));
  await until('refused', () => state(second, 'other')?.state === 'down');
  expect(state(second, 'other')?.error).toMatch(/is used by a connection of another data source as modbus, RTU, 38400 baud 8E1/);
  await second.apply(planOf(connection('other', path, [21])));
  await until('shared', () => value(second, 'u21') === 21 * 256 + 2);
  await second.apply(planOf(connection('other', path, [21], { parity: 'none' })));
  await until('refused again', () => state(second, 'other')?.state === 'down');
  await first.apply(planOf());
  await until('alone', () => state(second, 'other')?.state === 'up');
}, 30_000);
