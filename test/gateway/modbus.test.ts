/** What gateway and Modbus driver do together: a device that puts us off, one whose plan is learned, a broadcast. */
import { expect, it, onTestFinished } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { PlannedConnection } from '../../src/gateway/plan.ts';
import { buildLine } from '../drivers/line.ts';
import { portName } from '../far/port.ts';
import { startPython } from '../far/python.ts';
import { openGateway } from './open.ts';
import { body, planOf, until, user } from './rig.ts';

const driver = modbus as Driver;

function connection(
  transport: Record<string, unknown>,
  address: Record<string, unknown>,
  registers: number[],
  access = 'read-write',
): PlannedConnection {
  const line = buildLine(driver, {
    connection: { transport, timeout: '2s' },
    devices: [
      { id: 'd', address, points: registers.map((register) => ({ id: `r${register}`, address: { table: 'holding', register }, access })) },
    ],
  });
  const devices = line.devices.map((device) => ({
    ...device,
    connection: 'line',
    points: device.points.map((point) => ({ ...point, intervalMs: 1_000 })),
  }));
  return { connection: { ...line.connection, id: 'line', kind: 'modbus' }, driver, devices, secrets: {} };
}

async function gatewayFor(planned: PlannedConnection): Promise<Gateway> {
  const { gateway, close } = openGateway({ key: '1/modbus' });
  onTestFinished(close);
  await gateway.apply(planOf(planned));
  return gateway;
}

async function rogue() {
  const far = await startPython('modbus_rogue.py');
  onTestFinished(() => far.kill());
  return { far, transport: { type: 'tcp', host: '127.0.0.1', port: far.port } };
}
const last = (gateway: Gateway, point: string) => gateway.last({ device: 'd', point });

it('a device that is busy twice is asked again after a pause, and no bad sample is kept of it', async () => {
  const { far, transport } = await rogue();
  const gateway = await gatewayFor(connection(transport, { unitId: 27, busyPause: '50ms', busyRetries: 2 }, [40]));
  await until('a value', () => last(gateway, 'r40') !== undefined);
  expect(last(gateway, 'r40')).toMatchObject({ value: 40, reason: '' });
  const { times = [] } = await far.ask({ requests: true });
  expect((times[2] ?? 0) - (times[0] ?? 0), 'two pauses').toBeGreaterThan(0.09);
}, 20_000);

it('a device that is busy for good is bad by name, after as many tries as are allowed', async () => {
  const { far, transport } = await rogue();
  const gateway = await gatewayFor(connection(transport, { unitId: 106, busyPause: '20ms', busyRetries: 2 }, [40]));
  await until('a reading', () => last(gateway, 'r40') !== undefined);
  expect(last(gateway, 'r40')).toMatchObject({ value: null, reason: 'exception-6' });
  expect((await far.ask({ requests: true })).requests?.length).toBeGreaterThanOrEqual(3);
}, 20_000);

it('who asks a busy device now waits for as many tries as are allowed', async () => {
  const { far, transport } = await rogue();
  const planned = connection(transport, { unitId: 106, busyPause: '20ms', busyRetries: 3 }, [40]);
  const devices = planned.devices.map((device) => ({
    ...device,
    points: device.points.map((point) => ({ ...point, intervalMs: 3_600_000 })),
  }));
  const gateway = await gatewayFor({ ...planned, devices });
  await until('a reading', () => last(gateway, 'r40') !== undefined);
  await far.ask({ requests: true });
  expect(await gateway.readNow({ device: 'd', point: 'r40' }, AbortSignal.timeout(10_000))).toMatchObject({
    value: null,
    reason: 'exception-6',
  });
  expect((await far.ask({ requests: true })).requests).toHaveLength(4);
}, 20_000);

it('what a device refuses is asked for apart from then on: the plan is made anew', async () => {
  const { transport } = await rogue();
  const gateway = await gatewayFor(connection(transport, { unitId: 26 }, [48, 49, 50, 54]));
  await until('values', () => last(gateway, 'r54')?.value === 54);
  expect(last(gateway, 'r50')).toMatchObject({ value: null, reason: 'exception-2' });
  const before = gateway.connections()[0]?.requests ?? 0;
  await until('more polls', () => (gateway.connections()[0]?.requests ?? 0) >= before + 6);
  expect([last(gateway, 'r48')?.value, last(gateway, 'r49')?.value, last(gateway, 'r54')?.value]).toEqual([48, 49, 54]);
}, 20_000);

it('a broadcast on a serial line is sent to all, once, and counts as accepted', async () => {
  const path = portName();
  const far = await startPython('modbus_rtu.py', path);
  onTestFinished(() => far.kill());
  const transport = { type: 'rtu', path, baudRate: 38_400, turnaround: '20ms' };
  const gateway = await gatewayFor(connection(transport, { unitId: 0, broadcast: true }, [30], 'write'));
  await until('up', () => gateway.connections()[0]?.state === 'up');
  expect(await gateway.set({ device: 'd', point: 'r30' }, body(77), user)).toMatchObject({ state: 'acknowledged' });
  expect((await far.ask({ requests: true })).requests).toEqual([[0, 6, 30]]);
}, 20_000);
