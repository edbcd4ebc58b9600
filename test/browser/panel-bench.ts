/** A plant for the panel's tests: a Modbus device made of pymodbus with every kind of point, and one that nobody can reach. */
import type { Page } from 'playwright-core';
import { type FarProgram, startPython } from '../far/python.ts';
import { openStudio, type Studio } from './chromium.ts';

export interface Bench {
  studio: Studio;
  far: FarProgram;
  /** Behind the lift. */
  hall: FarProgram;
  /** Opens a panel with these controls, and `query` for the rest of the address. */
  panel(controls: object[], query?: Record<string, string>, viewport?: { width: number; height: number }): Promise<Page>;
  /** What the device holds. */
  holds(place: { table: 'holding' | 'coil'; register: number; type?: string; length?: number }): Promise<unknown>;
  set(place: { table: 'holding' | 'coil'; register: number; type?: string; value: unknown }): Promise<void>;
  /** Asks a resource as whoever is signed in; throws nothing. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  close(): Promise<void>;
}

const holding = (register: number, type = 'int16') => ({ table: 'holding', register, type });

function settings(port: number, liftPort: number) {
  const transport = { type: 'tcp', host: '127.0.0.1', port };
  const set = { access: 'read-write' };
  return {
    version: 1,
    connections: [
      { id: 'plc', kind: 'modbus', transport, timeout: '1s' },
      // Patient enough for whatever is held at its far end.
      { id: 'hall', kind: 'modbus', transport: { ...transport, port: liftPort }, timeout: '30s' },
      { id: 'gone', kind: 'modbus', transport: { ...transport, port: 1 }, timeout: '500ms' },
    ],
    devices: [
      {
        id: 'boiler',
        connection: 'plc',
        title: 'Boiler',
        address: { unitId: 1 },
        interval: '500ms',
        points: [
          { id: 'pump', title: 'Pump', address: { table: 'coil', register: 3 }, ...set, enum: { 0: 'off', 1: 'on' } },
          {
            id: 'setpoint',
            title: 'Flow setpoint',
            address: holding(30),
            ...set,
            scale: 0.1,
            unit: 'celsius',
            write: { min: 20, max: 90, step: 0.5, verify: { tolerance: 0.05, timeout: '2s' } },
          },
          { id: 'mode', title: 'Mode', address: holding(40), ...set, enum: { 0: 'eco', 1: 'comfort', 2: 'boost' } },
          { id: 'reset', title: 'Reset fault', address: { table: 'coil', register: 9 }, access: 'write', momentary: true },
          { id: 'jog', title: 'Jog', address: { table: 'coil', register: 11 }, ...set },
          { id: 'name', title: 'Name', address: { ...holding(100, 'string'), length: 8 }, ...set },
          { id: 'guarded', title: 'Burner', address: holding(50), ...set, write: { confirm: true } },
          // The effect is to be seen elsewhere, where it never comes.
          { id: 'valve', title: 'Valve', address: holding(60), ...set, write: { verify: { point: 'valve_seen', timeout: '400ms' } } },
          { id: 'valve_seen', address: holding(61) },
          { id: 'refused', title: 'Refused', address: holding(300), ...set },
          { id: 'cooled', title: 'Compressor', address: holding(70), ...set, write: { cooldown: '4s' } },
          { id: 'pressure', address: holding(80) },
          { id: 'locked_in', title: 'Inlet', address: holding(82), ...set, write: { interlock: 'pressure < 2' } },
          { id: 'for_admins', title: 'Service', address: holding(84), ...set },
          { id: 'slow', title: 'Damper', address: holding(86), ...set, write: { verify: { settle: '2s', timeout: '1s' } } },
          { id: 'silent', title: 'Silent', address: holding(310), ...set },
          { id: 'for_all', title: 'Light', address: { table: 'coil', register: 12 }, ...set },
        ],
        commands: [
          {
            id: 'boost',
            title: 'Boost',
            write: [
              { address: holding(90), parameter: 'minutes' },
              { address: holding(91), parameter: 'level' },
              { address: holding(92), parameter: 'now' },
            ],
            parameters: {
              minutes: { title: 'Minutes', type: 'integer', min: 1, max: 60 },
              level: { title: 'Level', options: [1, 2, 3], default: 2 },
              now: { title: 'Stage', type: 'integer', default: 4 },
            },
          },
        ],
      },
      {
        id: 'lift',
        connection: 'hall',
        address: { unitId: 1 },
        points: [
          { id: 'held', title: 'Held', address: holding(310), ...set },
          { id: 'floor', title: 'Floor', address: holding(20), ...set },
        ],
      },
      { id: 'attic', connection: 'gone', address: { unitId: 1 }, points: [{ id: 'fan', title: 'Fan', address: holding(1), ...set }] },
    ],
    rights: {
      rules: [
        { points: ['for_admins'], role: 'Admin' },
        { points: ['for_all'], role: 'Viewer' },
      ],
    },
    health: { failWhen: 'never' },
  };
}

export async function openBench(): Promise<Bench> {
  const [far, hall] = await Promise.all([startPython('modbus.py'), startPython('modbus.py')]);
  const studio = await openStudio(settings(far.port, hall.port));
  const { stand } = studio;
  async function ask(method: string, path: string, body?: unknown) {
    const response = await fetch(`${stand.url}/api/datasources/uid/stand/resources/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  return {
    studio,
    far,
    hall,
    ask,
    panel: (controls, query = {}, viewport) => {
      const address = { show: 'panel', options: JSON.stringify({ controls }), ...query };
      return studio.open(new URLSearchParams(address).toString(), viewport);
    },
    async holds(place) {
      return (await far.ask({ get: true, order: 'AB', type: 'int16', ...place })).value;
    },
    async set({ value, ...place }) {
      await far.ask({ set: value, order: 'AB', type: 'int16', ...place });
    },
    async close() {
      await studio.close();
      await Promise.all([far.kill(), hall.kill()]);
    },
  };
}
