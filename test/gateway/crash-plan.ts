import { pointSchema } from '../../src/contract/device.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { settingsSchema } from '../../src/contract/settings.ts';
import type { Plan } from '../../src/gateway/plan.ts';
import type { Address, Options } from './line-driver.ts';

/** One unit with a level that can be set; both processes of the crash test run it. */
export function crashPlan(driver: Driver<Options, { unit: string }, Address>, port: number): Plan {
  const { interval: _, ...words } = pointSchema.parse({ id: 'level', access: 'read-write' });
  const address: Address = { register: 'level', shape: { type: 'float64' }, heard: false };
  const point = { ...words, device: 'u1', address, intervalMs: 50 };
  const device = { id: 'u1', title: 'u1', connection: 'line', address: { unit: 'u1' }, labels: {}, points: [point], actions: [] };
  const options: Options = { port, timeoutMs: 30_000, inFlight: 1 };
  const connection = { id: 'line', kind: 'line', title: 'line', options };
  return {
    connections: [{ connection, driver: driver as unknown as Driver, devices: [device], secrets: {} }],
    settings: settingsSchema.parse({}),
    faults: [],
  };
}
