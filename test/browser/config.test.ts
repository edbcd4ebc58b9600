/** The config editor with the real executable and a real Modbus server: from nothing to values, faults while one types, files in and out. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { startPlant } from '../../simulators/modbus-plant.ts';
import { violations } from './axe.ts';
import { openStudio, type Studio } from './chromium.ts';
import { writeCode } from './code-editor.ts';

// A page brings all of Grafana's components along: on a machine that does much else it takes its time.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

let studio: Studio;
let plant: Awaited<ReturnType<typeof startPlant>>;

beforeAll(async () => {
  plant = await startPlant({ host: '127.0.0.1', port: 0 });
  studio = await openStudio({});
});
afterEach(() => studio.closePages());
afterAll(async () => {
  await studio?.close();
  await plant?.close();
});
beforeEach(() => {
  studio.errors.length = 0;
});

const boiler = () => ({
  version: 1,
  connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: plant.port } }],
  devices: [
    {
      id: 'boiler',
      connection: 'plc',
      address: { unitId: 1 },
      points: [{ id: 'flow_temp', address: { table: 'input', register: 0, type: 'int16' }, scale: 0.1, unit: 'celsius' }],
    },
    { id: 'meter', connection: 'plc', labels: { site: 'north-1' } },
  ],
});

const pointOf = ({ devices }: ReturnType<typeof boiler>) => devices[0]?.points?.[0] as object;

async function openWith(jsonData: Record<string, unknown>, query = '', viewport?: { width: number; height: number }): Promise<Page> {
  studio.stand.stored = { jsonData, secrets: {}, updatedMs: studio.stand.stored.updatedMs + 1 };
  const page = await studio.open(`show=config${query}`, viewport);
  await page.getByRole('heading', { name: /^Devices/ }).waitFor();
  return page;
}

const settingsOf = (page: Page) =>
  page.evaluate(
    () =>
      (window as unknown as { stand: { options: { jsonData: Record<string, never>; secureJsonData: Record<string, string> } } }).stand
        .options,
  );

const rowOf = (page: Page, region: string, name: string) =>
  page.getByRole('region', { name: region, exact: true }).getByRole('article', { name, exact: true });

it('goes from nothing to a value on the screen: connection, scan, point, save', async () => {
  const page = await openWith({});
  await page.getByRole('button', { name: 'Modbus' }).click();
  await page.getByRole('combobox', { name: 'Transport – kind' }).click();
  await page.getByRole('option', { name: 'Modbus TCP', exact: true }).click();
  await page.getByLabel('Host').fill('127.0.0.1');
  await page.getByLabel('Port', { exact: true }).fill(String(plant.port));

  await page.getByRole('button', { name: 'Scan' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Last' }).first().fill('2');
  await dialog.getByRole('button', { name: 'Start scan' }).click();
  await dialog.getByText('The scan found').waitFor();
  // Nothing but the tick is needed: whose unit it is comes with it.
  await dialog.getByRole('checkbox', { name: /unit 1 answers/ }).check({ force: true });
  await dialog.getByRole('button', { name: 'Add 1' }).click();

  await page.getByRole('button', { name: 'Add point' }).click();
  const form = page.locator('[data-place="devices[0].points[0]"]');
  await form.getByLabel('Id').fill('flow_temp');
  await form.getByRole('combobox', { name: 'Table' }).click();
  await page.getByRole('option', { name: 'input', exact: true }).click();
  await form.getByLabel('Register').fill('0');
  await form.getByRole('combobox', { name: 'Type' }).click();
  await page.getByRole('option', { name: 'int16', exact: true }).click();
  await form.getByLabel('Scale').fill('0.1');

  const { jsonData } = await settingsOf(page);
  expect(jsonData).toEqual({
    version: 1,
    connections: [{ id: 'modbus', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: plant.port } }],
    devices: [
      {
        id: 'unit-1',
        connection: 'modbus',
        address: { unitId: 1 },
        points: [{ id: 'flow_temp', address: { table: 'input', register: 0, type: 'int16' }, scale: 0.1 }],
      },
    ],
  });
  await page.getByRole('button', { name: 'Save & test', exact: true }).click();
  await page.getByTestId('health').waitFor();
  await rowOf(page, 'Connections', 'modbus').getByText('Up', { exact: true }).waitFor();
  await rowOf(page, 'Devices', 'unit-1').getByText('Online', { exact: true }).waitFor();
  await form.getByText(/^\d+(\.\d+)?$/).waitFor();
  expect(studio.errors).toEqual([]);
});

it('makes points of the registers that a scan could read, in the device that has the unit', async () => {
  const page = await openWith(boiler());
  await page.getByRole('button', { name: 'Scan' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Last' }).first().fill('1');
  await dialog.getByRole('button', { name: 'Start scan' }).click();
  await dialog.getByText('The scan found').waitFor();
  await dialog.getByRole('checkbox', { name: 'unit 1: holding 10-11 can be read' }).check({ force: true });
  await dialog.getByRole('checkbox', { name: 'unit 1: input 0 can be read' }).check({ force: true });
  await dialog.getByRole('button', { name: 'Add 2' }).click();

  // Input 0 has a point already, which says how it is read.
  await rowOf(page, 'Devices', 'boiler').getByText('holding_11').first().waitFor();
  const { devices } = (await settingsOf(page)).jsonData as unknown as ReturnType<typeof boiler>;
  expect(devices.map(({ id }) => id)).toEqual(['boiler', 'meter']);
  const fresh = [10, 11].map((register) => ({ id: `holding_${register}`, address: { table: 'holding', register } }));
  expect(devices[0]?.points).toEqual([pointOf(boiler()), ...fresh]);
  expect(studio.errors).toEqual([]);
});

it('says what is wrong at its field while one types, and jumps to what is hidden', async () => {
  const page = await openWith(boiler());
  const faults = page.locator('[aria-live="polite"]');
  await rowOf(page, 'Connections', 'plc').getByLabel('Port', { exact: true }).fill('70000');
  const field = page.locator('[data-place="connections[0].transport.port"]');
  await field.getByText(/is 70000; allowed is/).waitFor();
  await faults.getByRole('button', { name: 'Go to connections[0].transport.port' }).waitFor();
  await rowOf(page, 'Connections', 'plc').getByLabel('Port', { exact: true }).fill(String(plant.port));
  await field.getByText(/is 70000/).waitFor({ state: 'detached' });

  // A fault inside a closed device, in a closed point, behind "More settings".
  await page.getByRole('radio', { name: 'JSON' }).check({ force: true });
  const broken = boiler();
  Object.assign(pointOf(broken), { precision: 99, frobnicate: { kept: ['as', 'it', 'is'] } });
  await writeCode(page, 'Settings as JSON', JSON.stringify(broken));
  await page.getByRole('radio', { name: 'Form' }).check({ force: true });
  await faults.getByRole('button', { name: 'Go to devices[0].points[0].precision' }).click();
  const precision = page.locator('[data-place="devices[0].points[0].precision"] input');
  await precision.waitFor();
  await expect.poll(() => precision.evaluate((input) => input === document.activeElement)).toBe(true);
  await precision.fill('2');
  await faults.getByRole('button', { name: 'Go to devices[0].points[0].precision' }).waitFor({ state: 'detached' });
  // What the forms do not know goes with it.
  const { jsonData } = await settingsOf(page);
  Object.assign(pointOf(broken), { precision: 2 });
  expect(jsonData).toEqual(broken);
  expect(studio.errors).toEqual([]);
});

it('completes the JSON side from the schema, and marks what it does not allow', async () => {
  const page = await openWith(boiler(), '', { width: 1280, height: 1400 });
  await page.getByRole('radio', { name: 'JSON' }).check({ force: true });
  await writeCode(page, 'Settings as JSON', '{ "version": 1, "history": { ');
  await page.keyboard.press('Control+Space');
  const offered = page.locator('.suggest-widget .monaco-list-row');
  await offered.filter({ hasText: 'flushInterval' }).waitFor();
  await page.keyboard.press('Escape');
  await writeCode(page, 'Settings as JSON', '{ "version": 1, "timezone": 7 }');
  await page.locator('.squiggly-warning').waitFor();
  expect((await settingsOf(page)).jsonData).toEqual({ version: 1, timezone: 7 });
  expect(await violations(page)).toEqual([]);
  expect(studio.errors).toEqual([]);
});

it('duplicates, reorders, searches and removes devices', async () => {
  const page = await openWith(boiler());
  const devices = page.getByRole('region', { name: 'Devices', exact: true });
  await devices.getByRole('button', { name: 'Duplicate: boiler' }).click();
  await devices.getByRole('button', { name: 'Move up: meter' }).click();
  const ids = async () => ((await settingsOf(page)).jsonData.devices as unknown as { id: string }[]).map(({ id }) => id);
  expect(await ids()).toEqual(['boiler', 'meter', 'boiler-2']);
  await devices.getByRole('textbox', { name: 'Search devices' }).fill('plc NORTH-1');
  await page.getByRole('heading', { name: 'Devices (1 of 3)' }).waitFor();
  await devices.getByRole('button', { name: 'Remove: meter' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  expect(await ids()).toEqual(['boiler', 'boiler-2']);
  expect(studio.errors).toEqual([]);
});

it('keeps the form of a point open while another one is moved past it', async () => {
  const settings = boiler();
  const [first] = settings.devices;
  first?.points?.push({ ...first.points[0], id: 'return_temp' } as never);
  const page = await openWith(settings);
  await rowOf(page, 'Devices', 'boiler').getByRole('button', { expanded: false }).first().click();
  const points = page.getByRole('region', { name: 'Points of boiler' });
  await points.getByRole('button', { name: /^flow_temp/, expanded: false }).click();
  await points.getByRole('button', { name: 'Move up: return_temp' }).click();
  await points.getByRole('button', { name: /^return_temp/, expanded: false }).waitFor();
  await points.getByRole('button', { name: /^flow_temp/, expanded: true }).waitFor();
  const { jsonData } = await settingsOf(page);
  expect((jsonData.devices as unknown as typeof settings.devices)[0]?.points?.map(({ id }) => id)).toEqual(['return_temp', 'flow_temp']);
});

it('says a whole number with the digits that its unit needs', async () => {
  const settings = boiler();
  Object.assign(pointOf(settings), { address: { table: 'holding', register: 30, type: 'int16' }, scale: 10, unit: 'watt' });
  const page = await openWith(settings);
  await rowOf(page, 'Devices', 'boiler').getByText('flow_temp 5.50 kW').waitFor();
  await rowOf(page, 'Devices', 'boiler').getByRole('button', { expanded: false }).first().click();
  await page.getByRole('region', { name: 'Points of boiler' }).getByText('5.50 kW', { exact: true }).waitFor();
});

it('keeps secrets out of the settings, under the id of their connection; a new id takes the devices along', async () => {
  const page = await openWith({
    version: 1,
    connections: [{ id: 'house', kind: 'mqtt', url: 'mqtt://127.0.0.1:1' }],
    devices: [{ id: 'plug', connection: 'house' }],
  });
  await page.getByLabel('Password of house').fill('hunter2');
  const connection = page.locator('[data-place="connections[0]"]');
  await connection.getByLabel('Id', { exact: true }).fill('home');
  const { jsonData, secureJsonData } = await settingsOf(page);
  expect(secureJsonData).toEqual({ 'house.password': 'hunter2' });
  expect(jsonData.devices).toEqual([{ id: 'plug', connection: 'home' }]);
  expect(JSON.stringify(jsonData)).not.toContain('hunter2');
});

it('adds a device from a profile with its picture', async () => {
  const page = await openWith({ ...boiler(), devices: [] });
  await page.getByRole('button', { name: 'Add from a profile' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByPlaceholder('Search by maker or model').fill('sdm630');
  const card = dialog.getByRole('article', { name: /SDM630/ });
  await expect.poll(() => card.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await card.getByRole('button', { name: /^Add/ }).click();
  expect((await settingsOf(page)).jsonData.devices).toEqual([{ id: 'sdm630', connection: 'plc', profile: 'eastron-sdm630' }]);
  await page.getByRole('region', { name: 'Points of sdm630' }).getByRole('row').nth(5).waitFor();
});

it('exports what Grafana provisions, dollar signs doubled, and takes it in again', async () => {
  const settings = {
    version: 1,
    connections: [{ id: 'broker', kind: 'mqtt', url: 'mqtt://127.0.0.1:1' }],
    devices: [{ id: 'sys', connection: 'broker', points: [{ id: 'load', address: { topic: '$SYS/broker/load' } }] }],
  };
  const page = await openWith(settings);
  await page.getByRole('button', { name: 'Export' }).click();
  const text = await page.getByLabel('Settings as a file').inputValue();
  const file = parse(text);
  expect(file.datasources[0].type).toBe('fieldgate-iot-datasource');
  expect(file.datasources[0].jsonData.devices[0].points[0].address.topic).toBe('$$SYS/broker/load');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

  await page.getByRole('button', { name: 'Import' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Or paste it').fill('{ "connections": [ }');
  await dialog.getByText(/begins like JSON/).waitFor();
  await dialog.getByLabel('Or paste it').fill(text);
  await dialog.getByRole('radio', { name: 'Replace everything' }).check({ force: true });
  await dialog.getByRole('button', { name: 'Replace', exact: true }).click();
  expect((await settingsOf(page)).jsonData).toEqual(settings);
  await page.getByRole('button', { name: 'Import' }).click();
  await dialog.getByLabel('Or paste it').fill(text);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const twice = (await settingsOf(page)).jsonData as unknown as {
    connections: { id: string }[];
    devices: { id: string; connection: string }[];
  };
  expect(twice.connections.map(({ id }) => id)).toEqual(['broker', 'broker-2']);
  expect(twice.devices.map(({ id, connection }) => [id, connection])).toEqual([
    ['sys', 'broker'],
    ['sys-2', 'broker-2'],
  ]);
});

it('can be read and not changed where it is provisioned', async () => {
  const page = await openWith(boiler(), '&readOnly');
  await page.getByText('This data source is provisioned').waitFor();
  expect(await page.getByLabel('Host').isDisabled()).toBe(true);
  for (const name of ['Add device', 'Add connection', 'Import', 'Remove: boiler', 'Scan'])
    expect(await page.getByRole('button', { name }).count()).toBe(0);
  await page.getByRole('button', { name: 'Export' }).waitFor();
});

it('says in words that one may not, and leaves the settings as JSON', async () => {
  studio.stand.person = { login: 'vic', role: 'Viewer' };
  try {
    const page = await openWith(boiler());
    await page.getByText('The settings are not checked').waitFor();
    await page.getByText(/Admin/).first().waitFor();
  } finally {
    studio.stand.person = { login: 'ada', role: 'Admin' };
  }
});

for (const theme of ['dark', 'light']) {
  it(`is clean to axe, ${theme}, with everything open, also on a narrow screen`, async () => {
    const page = await openWith(boiler(), `&theme=${theme}`, { width: 400, height: 900 });
    await rowOf(page, 'Devices', 'boiler').getByRole('button', { expanded: false }).first().click();
    await page.getByRole('region', { name: 'Points of boiler' }).getByRole('button', { expanded: false }).first().click();
    for (const name of ['History', 'Rights', 'Health', 'Profiles'])
      await page.getByRole('region', { name: 'Other settings' }).getByRole('button', { name, expanded: false }).first().click();
    for (;;) {
      const folded = page.getByRole('button', { name: /^More settings/ });
      if ((await folded.count()) === 0) break;
      await folded.first().click();
    }
    // Nothing sticks out at the side.
    expect(
      await page.evaluate(() => {
        const root = document.getElementById('root') as HTMLElement;
        return root.scrollWidth - root.clientWidth;
      }),
    ).toBeLessThanOrEqual(0);
    expect(await violations(page)).toEqual([]);
  });
}
