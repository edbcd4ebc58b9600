import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { drivers } from '../../drivers/index.ts';
import { limits } from '../../src/contract/limits.ts';
import { readBuiltIn } from '../../src/datasource/built-in.ts';
import { settingsJsonSchema } from '../../src/datasource/settings/schema.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { readFolder } from '../../src/executable.ts';

interface Case {
  name: string;
  settings: { connections?: unknown[]; devices?: unknown[] };
  secrets?: Record<string, string>;
  /** Severity, place, and words of the message: all of them, in any order, and no more. */
  faults: [string, string, string][];
  /** `plc`, and `boiler.temp`, or `boiler` for a device without a point. */
  runs: string[];
  /** Words that no fault may hold. */
  never?: string[];
}

const cases = JSON.parse(readFileSync(new URL('settings-cases.json', import.meta.url), 'utf8')) as Case[];
const connection = { id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: 1502 } };
const point = { id: 'temp', address: { table: 'holding', register: 1, type: 'int16', order: 'AB' } };
const device = { id: 'boiler', connection: 'plc', address: { unitId: 1 } };

/** A case says only what is special about it: `"PLC"` and `"BOILER"` are sound, an object is laid over the sound one, and a field `"-"` taken away. */
function complete(settings: Case['settings']): unknown {
  const over = (sound: object, special: unknown): unknown => {
    if (typeof special !== 'object' || special === null) return special;
    return Object.fromEntries(Object.entries({ ...sound, ...special }).filter(([, value]) => value !== '-'));
  };
  const list = (value: unknown, make: (one: unknown) => unknown) => (Array.isArray(value) ? value.map(make) : value);
  const withPoints = (one: unknown) => {
    const { points = [{}], ...rest } = over(device, one === 'BOILER' ? {} : one) as { points?: unknown };
    return { ...rest, points: list(points, (special) => over(point, special)) };
  };
  return {
    ...settings,
    ...('connections' in settings ? { connections: list(settings.connections, (one) => over(connection, one === 'PLC' ? {} : one)) } : {}),
    ...('devices' in settings ? { devices: list(settings.devices, withPoints) } : {}),
  };
}

function read(text: string | Uint8Array, secureJsonData: Record<string, string> = {}) {
  return readSettings({ jsonData: Buffer.from(text), secureJsonData }, drivers);
}

function running(plan: ReturnType<typeof read>): string[] {
  return plan.connections.flatMap(({ connection: { id }, devices }) => [
    id,
    ...devices.flatMap((one) => (one.points.length === 0 ? [one.id] : one.points.map((each) => `${one.id}.${each.id}`))),
  ]);
}

describe('settings', () => {
  it.each(cases)('$name', ({ settings, secrets, faults, runs, never = [] }) => {
    const plan = read(JSON.stringify(complete(settings)), secrets);
    const said = plan.faults.map(({ severity, place, message }) => `${severity} ${place}: ${message}`);
    const wanted = faults.map(([severity, place, words]) =>
      expect.stringMatching(new RegExp(`^${literally(`${severity} ${place}: `)}.*${literally(words)}`)),
    );
    expect(said).toHaveLength(faults.length);
    for (const one of wanted) expect(said).toContainEqual(one);
    expect(new Set(running(plan))).toEqual(new Set(runs));
    for (const word of never) expect(JSON.stringify(plan.faults)).not.toContain(word);
  });

  it('takes the whole language by example', () => {
    const jsonData = readFileSync(new URL('example.json', import.meta.url));
    const { profiles } = readBuiltIn(readFolder('profiles'));
    const plan = readSettings({ jsonData, secureJsonData: {} }, drivers, profiles);
    expect(plan.faults).toEqual([]);
    const meter = profiles.find(({ id }) => id === 'eastron-sdm630')?.points as { id: string }[];
    expect(running(plan)).toEqual([
      'broker',
      'plc',
      ...['flow_temp', 'power', 'energy', 'pump', 'setpoint', 'reset_fault', 'serial_no'].map((id) => `boiler.${id}`),
      'rs485',
      ...meter.map(({ id }) => `meter.${id}`),
      'uno',
      ...['soil', 'air', 'valve'].map((id) => `greenhouse.${id}`),
    ]);
  });

  it('holds what is the same of a point once for all devices of a profile, and nothing that is not', () => {
    const labelled = { ...point, id: 'labelled', labels: { room: 'attic' } };
    const profile = { id: 'meter', points: [point, labelled, { ...point, id: 'bad', scale: 'ten' }] };
    const devices = ['a', 'b', 'c'].map((id, unit) => ({ id, connection: 'plc', address: { unitId: unit + 1 }, profile: 'meter' }));
    const plan = read(
      JSON.stringify({
        connections: [connection],
        profiles: [profile],
        devices: [
          { ...devices[0], labels: { floor: '1' } },
          { ...devices[1], interval: '7s' },
          { ...devices[2], points: [{ id: 'temp', offset: 5 }] },
        ],
      }),
    );
    const [one, two, three] = (plan.connections[0]?.devices ?? []).map(({ points }) => Object.fromEntries(points.map((of) => [of.id, of])));
    expect(one?.temp).toMatchObject({ device: 'a', intervalMs: 1_000, offset: 0, labels: { floor: '1' } });
    expect(two?.temp).toMatchObject({ device: 'b', intervalMs: 7_000, offset: 0, labels: {} });
    expect(three?.temp).toMatchObject({ device: 'c', intervalMs: 1_000, offset: 5, labels: {} });
    expect([one, two, three].map((points) => points?.labelled?.labels)).toEqual([
      { floor: '1', room: 'attic' },
      { room: 'attic' },
      { room: 'attic' },
    ]);
    expect(two?.temp?.address).toBe(one?.temp?.address);
    expect(three?.temp?.address).toEqual(one?.temp?.address);
    expect([one, two, three].map((points) => Object.keys(points ?? {}))).toEqual(Array(3).fill(['temp', 'labelled']));
    expect(plan.faults.map(({ place }) => place)).toEqual(['profiles[0].points[2].scale']);
  });

  it('lays what a device says over its profile, field by field', () => {
    const profile = { id: 'meter', points: [{ ...point, unit: 'celsius', scale: 0.1, interval: '5s' }] };
    const over = {
      ...device,
      profile: 'meter',
      labels: { site: 'north', floor: '1' },
      points: [{ id: 'temp', scale: 10, labels: { floor: '2' } }],
    };
    const plan = read(JSON.stringify({ connections: [connection], profiles: [profile], devices: [over] }));
    expect(plan.faults).toEqual([]);
    expect(plan.connections[0]?.devices[0]?.points).toMatchObject([
      {
        device: 'boiler',
        id: 'temp',
        unit: 'celsius',
        scale: 10,
        intervalMs: 5_000,
        labels: { site: 'north', floor: '2' },
        access: 'read',
        invalid: [],
      },
    ]);
  });

  it('gives each connection its own secrets and no others', () => {
    const broker = { id: 'main.hall', kind: 'mqtt', url: 'mqtt://10.0.0.1' };
    const plan = read(JSON.stringify({ connections: [broker, connection] }), {
      'main.hall.password': 'correct-horse',
      'hall.password': 'x',
    });
    expect(plan.connections.map(({ secrets }) => secrets)).toEqual([{ password: 'correct-horse' }, {}]);
  });

  it('is cautious where a mistyped word would open or delete something', () => {
    const { settings } = read('{ "rights": { "command": "admin" }, "history": { "retention": "10 years" } }');
    expect(settings.rights.command).toBe('Admin');
    expect(settings.history.retention).toBeGreaterThan(9 * 365 * 86_400_000);
  });

  it.each([
    ['', undefined],
    ['null', undefined],
    ['[]', 'is an empty list; allowed is an object'],
    ['{"connections": [', 'at line 1, column 18 the text ends where a value or "]" is expected'],
    ['{\n  "version": 1,\n}', 'at line 3, column 1 there is "}" where a name in double quotes is expected'],
    ['\xff\xfe', 'is not UTF-8'],
  ])('document %j', (text, words) => {
    const plan = read(Buffer.from(text, 'latin1'));
    expect(plan.faults.map(({ message }) => message)).toEqual(words === undefined ? [] : [expect.stringContaining(words)]);
    expect(plan.connections).toEqual([]);
  });

  it('refuses a document that is too large before it reads it', () => {
    const plan = read(`{"x":"${'x'.repeat(limits.settingsBytesMax)}"}`);
    expect(plan.faults).toEqual([
      { severity: 'error', place: '', message: expect.stringContaining(`allowed are ${limits.settingsBytesMax}`) },
    ]);
  });

  it('lists a bounded number of faults', () => {
    const plan = read(
      JSON.stringify({ connections: [connection], devices: [{ ...device, points: Array.from({ length: 80_000 }, () => 1) }] }),
    );
    expect(plan.faults.length).toBeLessThanOrEqual(limits.configFaultsMax + 1);
    expect(plan.faults.at(-1)?.message).toMatch(/^has \d+ more faults/);
  });

  it('survives brackets deeper than any stack', () => {
    const depth = 100_000;
    const deep = `{"connections":[${'['.repeat(depth)}${']'.repeat(depth)}],"devices":[{"id":"a","connection":${'['.repeat(1_000)}${']'.repeat(1_000)}}]}`;
    expect(read(deep).faults.map(({ place }) => place)).toContain('connections[0]');
  });
});

describe('JSON Schema of the settings', () => {
  const schema = z.fromJSONSchema(settingsJsonSchema(drivers) as Parameters<typeof z.fromJSONSchema>[0]);
  const sound = {
    version: 1,
    connections: [connection, { id: 'broker', kind: 'mqtt', url: 'mqtt://10.0.0.1' }],
    devices: [{ ...device, points: [point] }],
  };

  it('takes what we take', () => {
    expect(read(JSON.stringify(sound)).faults).toEqual([]);
    expect(schema.safeParse(sound).error).toBeUndefined();
  });

  it.each([
    ['an unknown kind', { ...sound, connections: [{ ...connection, kind: 'canbus' }] }],
    ['a field of another protocol', { ...sound, connections: [{ ...connection, url: 'mqtt://10.0.0.1' }] }],
    ['a point without id', { ...sound, devices: [{ ...device, points: [{ address: point.address }] }] }],
    ['a table nobody has', { ...sound, devices: [{ ...device, points: [{ ...point, address: { table: 'registers', register: 1 } }] }] }],
  ])('refuses %s as we do', (_name, settings) => {
    expect(read(JSON.stringify(settings)).faults).not.toEqual([]);
    expect(schema.safeParse(settings).success).toBe(false);
  });
});

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
