/** A boiler at the far end of a wire, for what concerns commands: a set point with limits, a pump, a button, what speaks by itself. */
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/contract/clock.ts';
import type { ActionConfig } from '../../src/contract/device.ts';
import type { Guards } from '../../src/contract/guards.ts';
import type { Store } from '../../src/store/store.ts';
import { type PlantServer, plantServer, type Unit } from './plant-server.ts';
import { bool, connection, device, int16, planOf, type Rig, rig, until } from './rig.ts';

export const setpoint = { device: 'u1', point: 'setpoint' };
export const pump = { device: 'u1', point: 'pump' };

export async function boiler({
  timeoutMs = 1_000,
  guards = {},
  more = {},
  actions = [],
  ...options
}: {
  factor?: number;
  store?: Store;
  clock?: Clock;
  timeoutMs?: number;
  /** Of the set point. */
  guards?: Guards;
  /** Further points, further devices by their unit. */
  more?: Record<string, object>;
  actions?: ActionConfig[];
} = {}): Promise<Rig & { server: PlantServer; unit: Unit }> {
  const server = await plantServer();
  onTestFinished(() => server.stop());
  const unit: Unit = {
    registers: new Map([
      ['setpoint', '500'],
      ['pump', '0'],
      ['mode', 'idle'],
      ['echo', '0'],
      ...Object.keys(more).map((name): [string, string] => [name, '0']),
    ]),
  };
  server.units.set('u1', unit);
  const it = await rig({ factor: 4, ...options });
  const points = {
    setpoint: {
      shape: int16,
      scale: 0.1,
      access: 'read-write',
      write: { min: 20, max: 90, step: 0.5, verify: { tolerance: 0.05, settle: 0, timeout: 2_000 }, ...guards },
      enum: { '900': 'hottest' },
    },
    pump: { shape: bool, access: 'read-write', enum: { '0': 'off', '1': 'on' } },
    button: { shape: bool, access: 'write', momentary: true },
    effect: {
      register: 'setpoint',
      shape: int16,
      access: 'read-write',
      write: { verify: { point: 'mode', equals: 'idle', tolerance: 0, settle: 0, timeout: 500 } },
    },
    mode: { shape: { type: 'string' } },
    echo: { shape: int16, access: 'read-write', heard: true },
    ...more,
  } as const;
  await it.gateway.apply(
    planOf(
      connection('line', it.driver, { port: server.port, timeoutMs }, [
        { ...device('u1', 'line', points as never), actions: [{ id: 'reboot', confirm: false }, ...actions] },
      ]),
    ),
  );
  // A reading may be one that an earlier run left; only beside an open connection is it this one's.
  await until('a reading', () => it.gateway.connections().every(({ state }) => state === 'up') && it.gateway.last(setpoint)?.value === 50);
  return { ...it, server, unit };
}

export const writes = (server: PlantServer) =>
  server.requests.filter((request) => request.text.startsWith('W')).map((request) => request.text);
