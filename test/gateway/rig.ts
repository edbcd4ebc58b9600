/** A gateway on a real store, with plants to run it against. */
import { onTestFinished } from 'vitest';
import type { User } from '../../src/contract/caller.ts';
import type { Clock } from '../../src/contract/clock.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { type SetBody, setBodySchema } from '../../src/contract/command.ts';
import { type Device, type Point, type PointConfig, pointSchema } from '../../src/contract/device.ts';
import type { Driver, Shape } from '../../src/contract/driver.ts';
import { silentLog } from '../../src/contract/log.ts';
import { settingsSchema } from '../../src/contract/settings.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { Plan, PlannedConnection } from '../../src/gateway/plan.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { fastClock } from './clocks.ts';
import { type Address, type Bugs, lineDriver, type Options } from './line-driver.ts';
import { openGateway } from './open.ts';

export const user: User = { login: 'ada', name: 'Ada', email: 'ada@example.org', role: 'Editor' };
export const float: Shape = { type: 'float64' };
export const int16: Shape = { type: 'integer', min: -32_768n, max: 32_767n };
export const uint64: Shape = { type: 'integer', min: 0n, max: 2n ** 64n - 1n };
export const bool: Shape = { type: 'boolean' };

type PointWords = Partial<Omit<PointConfig, 'address' | 'interval'>> & {
  shape?: Shape;
  register?: string;
  intervalMs?: number;
  heard?: boolean;
};

export function point(device: string, id: string, words: PointWords = {}): Point<Address> {
  const { shape = float, register = id, intervalMs = 1_000, heard = false, ...rest } = words;
  const { interval: _, ...filled } = pointSchema.parse({ id, address: null });
  return { ...filled, ...rest, device, intervalMs, address: { register, shape, heard } };
}

export function device(id: string, connection: string, points: Record<string, PointWords>, unit = id): Device {
  return {
    id,
    title: id,
    connection,
    address: { unit },
    labels: {},
    points: Object.entries(points).map(([name, words]) => point(id, name, words)),
    actions: [],
  };
}

export function connection(
  id: string,
  driver: Driver<Options, { unit: string }, Address>,
  options: Partial<Options> & { port: number },
  devices: Device[],
): PlannedConnection {
  const full: Options = { timeoutMs: 1_000, inFlight: 1, ...options };
  return { connection: { id, kind: 'line', title: id, options: full }, driver: driver as unknown as Driver, devices, secrets: {} };
}

export function planOf(...connections: PlannedConnection[]): Plan {
  return { connections, settings: settingsSchema.parse({}), faults: [] };
}

export function body(value: SetBody['value'], more: Partial<SetBody> = {}): SetBody {
  return { ...setBodySchema.parse({ value }), ...more };
}

export interface Rig {
  gateway: Gateway;
  store: Store;
  clock: Clock;
  driver: Driver<Options, { unit: string }, Address>;
}

/** Time runs `factor` times as fast for the gateway and its drivers. */
export async function rig(options: { factor?: number; store?: Store; clock?: Clock; bugs?: Bugs; key?: string } = {}): Promise<Rig> {
  const clock = options.clock ?? fastClock(options.factor ?? 10);
  const store = options.store ?? openStore({ folder: undefined, clock: systemClock, log: silentLog });
  // Its time is ours: an accelerated gateway would not wait for it to open.
  await store.flush();
  const { gateway, close } = openGateway({ ...options, clock, store });
  onTestFinished(async () => {
    await close();
    if (!options.store) await store.close();
  });
  return { gateway, store, clock, driver: lineDriver(options.bugs) };
}

/** Waits for something to become true, looking every few milliseconds; fails with what it last saw. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 15_000,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > endMs) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
