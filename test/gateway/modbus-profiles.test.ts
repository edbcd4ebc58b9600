/** The built-in profiles of Modbus devices, from settings through the gateway, read from images that were made in Python from public register maps what the devices show. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { openGateway } from './open.ts';

interface Written {
  id: string;
  access?: string;
  address: { table: string; register: number };
}
const pointsOf = (profile: string) =>
  (JSON.parse(readFileSync(new URL(`../../profiles/${profile}.json`, import.meta.url), 'utf8')) as { points: Written[] }).points;

/** The unit of the far end that each is an image of. */
const profiles = [
  ['eastron-sdm120', 1],
  ['eastron-sdm230', 2],
  ['eastron-sdm630', 3],
  ['huawei-sun2000', 4],
  ['solaredge-inverter', 5],
  ['rs-fsxcs-weather', 6],
  ['waveshare-relay-8', 7],
] as const;

let far: FarProgram;
const { gateway, close } = openGateway({ key: '1/profiles' });
beforeAll(async () => {
  far = await startPython('device_images.py');
  const settings = {
    version: 1,
    connections: [{ id: 'bus', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: far.port } }],
    devices: profiles.map(([profile, unitId]) => ({ id: profile, connection: 'bus', address: { unitId }, points: pointsOf(profile) })),
  };
  const plan = readSettings({ jsonData: Buffer.from(JSON.stringify(settings)), secureJsonData: {} }, drivers);
  expect(plan.faults).toEqual([]);
  await gateway.apply(plan);
});
afterAll(async () => {
  await close();
  await far?.kill();
});

it.each(profiles)('%s: every point reads what the device shows', async (profile, unit) => {
  const shown = (await far.ask({ values: unit })).value as Record<string, unknown>;
  const readable = pointsOf(profile).filter(({ access }) => access !== 'write');
  expect(readable.length).toBeGreaterThan(9);
  await vi.waitFor(
    () => {
      for (const { id } of readable) expect(gateway.last({ device: profile, point: id }), id).toBeDefined();
    },
    { timeout: 15_000, interval: 50 },
  );
  for (const { id, address } of readable) {
    const expected = shown[`${address.table} ${address.register}`];
    const { value, reason, quality } = gateway.last({ device: profile, point: id }) ?? {};
    expect({ quality, reason }, id).toEqual({ quality: 'good', reason: '' });
    if (typeof expected === 'number') expect(value, id).toBeCloseTo(expected, 3);
    else expect(value, id).toBe(expected);
  }
});
