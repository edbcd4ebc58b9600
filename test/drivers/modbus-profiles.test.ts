/** The built-in profiles of Modbus devices: complete, readable in few requests, and with values as the maker's public map means them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import { planReads } from '../../drivers/modbus/plan.ts';
import { profileSchema } from '../../src/contract/device.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { buildLine } from './line.ts';

const folder = new URL('../../profiles/', import.meta.url);
const profiles = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => profileSchema.parse(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))))
  .filter(({ kind }) => kind === 'modbus');
const driver = modbus as Driver;

/** The most requests a poll of all points takes; without scale factors and texts most are one block. */
const requestsMax: Record<string, number> = {
  'eastron-sdm120': 9,
  'eastron-sdm230': 13,
  'eastron-sdm630': 8,
  'huawei-sun2000': 11,
  'rs-fsxcs-weather': 4,
  'solaredge-inverter': 8,
  'waveshare-relay-8': 2,
};

describe.each(profiles.map((profile) => [profile.id, profile] as const))('%s', (id, profile) => {
  const points = profile.points as Record<string, unknown>[];

  it('is understood as a device, every point with its title, and has an image', () => {
    const { faults } = readSettings(
      {
        jsonData: Buffer.from(
          JSON.stringify({
            version: 1,
            connections: [{ id: 'bus', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1' } }],
            devices: [{ id: 'd', connection: 'bus', points: profile.points }],
          }),
        ),
        secureJsonData: {},
      },
      [driver],
    );
    expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
    for (const point of points) expect(point.title, String(point.id)).toMatch(/\S/);
    expect(readFileSync(new URL(`${id}.svg`, folder), 'utf8')).toMatch(/^<svg [^>]*role="img" aria-label="/);
  });

  it('takes few requests', () => {
    const line = buildLine(driver, {
      connection: { transport: { type: 'rtu', path: '/dev/null' } },
      devices: [{ id: 'd', points: points.filter(({ access }) => access !== 'write') }],
    });
    const plan = planReads(line.devices[0]?.points as never, new Map([['d', line.devices[0]]]) as never);
    expect(plan.length, plan.map(({ text }) => text).join('\n')).toBeLessThanOrEqual(requestsMax[id] ?? 0);
  });
});
