/** The profiles for serial devices: what the real thing says, taken from data sheets, becomes the values it means. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serialActionSchema } from '../../drivers/serial/action.ts';
import type { Line } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { buildLine } from './line.ts';
import { driver, listen, open } from './serial-rig.ts';

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_instrument.py', path);
});
afterAll(() => far.kill());

interface Profile {
  points: Record<string, unknown>[];
  commands?: Record<string, unknown>[];
}
const profileOf = (id: string) => JSON.parse(readFileSync(new URL(`../../profiles/${id}.json`, import.meta.url), 'utf8')) as Profile;

function lineOf(id: string, connection: Record<string, unknown> = {}): Line {
  return buildLine(driver, { connection: { path, baudRate: 9_600, ...connection }, devices: [{ id: 'it', points: profileOf(id).points }] });
}

it.each([
  [
    'nmea-gps',
    { framing: { type: 'delimiter', checksum: { type: 'nmea' } } },
    '$GNGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*45\r\n$GNRMC,083559.00,A,4717.11437,N,00833.91522,E,0.004,77.52,091202,,,A*49\r\n$GNGGA,092725.00,9717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*45\r\n',
    ['latitude=47.2852332', 'longitude=8.5652650', 'altitude=499.6', 'fix=1', 'satellites=8', 'hdop=1.01', 'speed=0.004', 'course=77.52'],
  ],
  [
    'weighing-scale',
    {},
    'ST,GS,+  12.345kg\r\nUS,NT,- 0.5 kg\r\nOL,GS,+9999999\r\n',
    ['weight=12.345', 'stable=ST', 'kind=GS', 'weight=-0.5', 'stable=US', 'kind=NT', 'stable=OL', 'kind=GS'],
  ],
  ['arduino-climate', {}, 'T=21.5;H=40;UP=7\r\n', ['air=21.5', 'humidity=40', 'uptime=7']],
])('%s: what it says', async (id, connection, said, wanted) => {
  const line = lineOf(id, connection);
  const heard = listen(await open(line), line);
  await new Promise((done) => setTimeout(done, limits.serialSettleMs));
  await far.ask({ say: said });
  await expect.poll(() => heard.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(wanted.length);
  const plain = (one: string) => one.replace(/=([-+0-9.]+)$/, (_all, number: string) => `=${Number(number)}`);
  expect(heard.map(plain)).toEqual(wanted.map(plain));
});

it.each(['nmea-gps', 'weighing-scale', 'arduino-climate', 'scpi-multimeter'])('%s: its commands are understood by the driver', (id) => {
  for (const { id: _id, title: _title, confirm: _confirm, ...own } of profileOf(id).commands ?? [])
    expect(() => serialActionSchema.parse(own)).not.toThrow();
  expect(readFileSync(new URL(`../../profiles/${id}.svg`, import.meta.url), 'utf8')).toMatch(/^<svg [^>]*aria-label="[^"]+"/);
});

it('scpi-multimeter: its identity is read', async () => {
  const line = lineOf('scpi-multimeter', { turnaround: '0ms' });
  const session = await open(line);
  const [identity] = session.plan?.(line.devices[0]?.points ?? []) ?? [];
  expect(identity && (await session.read?.(identity, new AbortController().signal))).toMatchObject([{ value: 'MAKER,DMM 7,0,1.0' }]);
});
