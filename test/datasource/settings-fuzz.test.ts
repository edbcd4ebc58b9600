import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';

const words = fc.constantFrom(
  'id',
  'kind',
  'modbus',
  'mqtt',
  'plc',
  'boiler',
  '-',
  '{a}',
  '..',
  '1s',
  '__proto__',
  'constructor',
  'tcp',
  'holding',
  'mqtt://a:b@c',
  '/x/',
);
const leaf = fc.oneof(words, fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(-0), fc.constant(1e308));
const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(words, fc.string()), tie('any'), { maxKeys: 4 }),
  ),
}));

/** Mostly sound, with a random thing in any place: what a person writes. */
const or = <T>(sound: T): fc.Arbitrary<unknown> => fc.oneof({ weight: 40, arbitrary: fc.constant(sound) }, { weight: 1, arbitrary: any });
const some = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: fc.array(arbitrary, { maxLength: 3 }) }, { weight: 1, arbitrary: any });
/** Every field is there, but for one now and then; and now and then there is one too many. */
const record = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(
      fc.record(fields),
      fc.nat({ max: Object.keys(fields).length * 3 }),
      fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.dictionary(words, any, { maxKeys: 2 }) }),
    )
    .map(([sound, missing, strange]) => ({
      ...Object.fromEntries(Object.entries(sound).filter((_, index) => index !== missing)),
      ...strange,
    }));
const address = fc.oneof(
  record({ table: or('holding'), register: or(5), type: or('int16'), order: or('AB') }),
  record({ topic: or('a/b'), path: or('$.t'), format: or('json'), qos: or(1), set: or({ topic: 'a/b/set' }) }),
);
const point = record({
  id: or('temp'),
  address,
  access: or('read-write'),
  scale: or(0.1),
  enum: or({ '0': 'off' }),
  min: or(1),
  max: or(2),
  invalid: or([1]),
  write: or({ min: 1, verify: { point: 'temp' } }),
  interval: or('1s'),
  labels: or({ a: 'b' }),
});
const profile = record({ id: or('p'), points: some(point), commands: or([]) });
const device = record({
  id: or('boiler'),
  connection: or('plc'),
  address: or({ unitId: 1 }),
  profile: fc.oneof(or('p'), fc.constant(undefined), fc.constant(undefined)),
  points: some(point),
  labels: or({ a: 'b' }),
  commands: or([]),
});
const connection = fc.oneof(
  record({ id: or('plc'), kind: or('modbus'), transport: or({ type: 'tcp', host: '127.0.0.1', port: 502 }), timeout: or('1s') }),
  record({ id: or('plc'), kind: or('mqtt'), url: or('mqtt://10.0.0.1'), protocolVersion: or(5) }),
);
const settings = record({
  version: or(1),
  connections: some(connection),
  devices: some(device),
  profiles: some(profile),
  rights: or({ command: 'Editor' }),
  timezone: or('UTC'),
});

/** A whole number that no double holds is a bigint, which JSON.stringify does not take. */
const bigInterval = {
  connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: 'h' } }],
  devices: [{ id: 'd', connection: 'plc', points: [{ id: 'p', address: { register: 1 }, interval: { is: 2 ** 60 } }] }],
};

describe('settings of any kind', () => {
  it('become a plan or faults, never an exception', () => {
    let ran = 0;
    fc.assert(
      fc.property(
        fc.oneof(settings, any),
        fc.dictionary(fc.constantFrom('plc.password', 'x'), fc.constantFrom('correct-horse', '')),
        (value, secrets) => {
          const plan = readSettings({ jsonData: Buffer.from(JSON.stringify(value)), secureJsonData: secrets }, drivers);
          const devices = plan.connections.flatMap((one) => one.devices);
          ran += devices.length;
          expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length);
          for (const { id, points } of devices) {
            expect(id).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
            for (const one of points)
              expect(one).toMatchObject({ device: id, id: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), intervalMs: expect.any(Number) });
          }
          for (const fault of plan.faults) {
            expect(fault.message).not.toBe('');
            expect(fault.message.length).toBeLessThan(1_000);
            expect(JSON.stringify(fault)).not.toMatch(/undefined|\[object|correct-horse|a:b@c/);
          }
          // Something is left out only with a word about it.
          if (plan.faults.length === 0 && typeof value === 'object' && value !== null && 'devices' in value)
            expect(devices).toHaveLength((value.devices as unknown[]).length);
        },
      ),
      { numRuns: 1_500, examples: [[bigInterval, {}]] },
    );
    expect(ran, 'no sound settings were among them').toBeGreaterThan(10);
  });
});
