/** Images of devices one can buy: made from an independent source, served by `npm run sim`, and read and written by the profiles of their names. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBuiltIn } from '../../src/datasource/built-in.ts';
import { readFolder } from '../../src/executable.ts';
import { type Plant, startPlant } from '../datasource/plant.ts';
import { type FarProgram, startPython } from '../far/python.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'fieldgate-images-'));
const settings = JSON.parse(readFileSync(join(root, 'simulators/gateway-profiles.json'), 'utf8')) as {
  connections: { transport: { port: number } }[];
  devices: { id: string; profile: string; address: { unitId: number } }[];
};
const bought = settings.devices.map(({ profile, address }) => [profile, address.unitId] as const);
const ownProfile = {
  id: 'own-pump',
  title: 'A pump nobody has heard of',
  kind: 'modbus',
  points: [
    { id: 'speed', address: { table: 'holding', register: 100 }, scale: 0.1, unit: 'rotrpm' },
    { id: 'wanted', address: { table: 'holding', register: 101 }, access: 'read-write', write: { min: 0, max: 3_000 } },
  ],
};
const ownImage = { unitId: 30, holding: { '100': [14_500, 1_450] }, writable: { holding: [[101, 101]] } };

let far: FarProgram;
const sim = { end: () => {} };
let plant: Plant;
beforeAll(async () => {
  far = await startPython('device_images.py');
  mkdirSync(join(folder, 'own'));
  writeFileSync(join(folder, 'own/pump.json'), JSON.stringify(ownImage));
  const paths = ['serial', 'rtu', 'gps', 'board'].flatMap((name) => [`--${name}-path`, join(folder, name)]);
  const words = ['--mqtt-port', '0', '--modbus-port', '0', '--images', join(folder, 'own'), ...paths];
  const child = spawn(process.execPath, [join(root, 'simulators/main.ts'), ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  sim.end = () => void child.kill('SIGKILL');
  const ready = await new Promise<{ modbusPort: number }>((done) =>
    createInterface({ input: child.stdout }).once('line', (line) => done(JSON.parse(line))),
  );
  for (const { transport } of settings.connections) transport.port = ready.modbusPort;
  plant = await startPlant({
    ...settings,
    profiles: [ownProfile],
    devices: [...settings.devices, { id: 'pump', connection: 'plc', profile: 'own-pump', address: { unitId: 30 } }],
  });
}, 60_000);
afterAll(async () => {
  await plant?.close();
  sim.end();
  await far?.kill();
  rmSync(folder, { recursive: true, force: true });
});

it('are what the independent source makes, one for each Modbus profile', () => {
  const made = join(folder, 'made');
  mkdirSync(made);
  const env = { ...process.env, PYTHONPATH: join(root, '.far/python'), PYTHONDONTWRITEBYTECODE: '1' };
  execFileSync('python3', [join(root, 'test/far/device_images.py'), '--write', made], { env });
  const images = join(root, 'simulators/images');
  expect(readdirSync(images).toSorted()).toEqual(readdirSync(made).toSorted());
  const read = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown;
  for (const name of readdirSync(made)) expect(read(images, name), name).toEqual(read(made, name));
  const profiles = readBuiltIn(readFolder('profiles')).profiles.filter(({ kind }) => kind === 'modbus');
  expect(profiles.map(({ id }) => `${id}.json`).toSorted()).toEqual(readdirSync(images).toSorted());
});

it.each(bought)(
  '%s: every point reads what the device shows',
  async (profile, unitId) => {
    const shown = (await far.ask({ values: unitId - 10 })).value as Record<string, unknown>;
    const { points } = JSON.parse(readFileSync(join(root, `profiles/${profile}.json`), 'utf8')) as {
      points: { id: string; access?: string; address: { table: string; register: number } }[];
    };
    for (const { id, address } of points.filter(({ access }) => access !== 'write')) {
      const { json } = await plant.until(`devices/${profile}/points/${id}`, (answer) => answer.json.last?.quality === 'good');
      const expected = shown[`${address.table} ${address.register}`];
      if (typeof expected === 'number') expect(json.last.value, id).toBeCloseTo(expected, 3);
      else expect(json.last.value, id).toBe(expected);
    }
  },
  30_000,
);

it('a profile and an image of a person are read the same way, and what may be written is', async () => {
  await plant.until('devices/pump/points/speed', (answer) => answer.json.last?.value === 1_450);
  const post = (path: string, value: unknown) => plant.ask(path, { method: 'POST', body: { value } });
  expect((await post('devices/pump/points/wanted', 1_500)).json).toMatchObject({ state: 'verified', readBack: 1_500 });
  expect((await post('devices/huawei-sun2000/points/power_limit', 62.5)).json).toMatchObject({ state: 'verified', readBack: 62.5 });
  // Relay 2 is off; the coil of all of them sets it.
  expect((await plant.ask('devices/waveshare-relay-8/points/relay_2')).json.last.value).toBe(false);
  expect((await post('devices/waveshare-relay-8/points/all_relays', true)).json).toMatchObject({ state: 'acknowledged' });
  await plant.until('devices/waveshare-relay-8/points/relay_2', (answer) => answer.json.last?.value === true);
});
