import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FarProgram, startPython } from '../far/python.ts';
import { violations } from './axe.ts';
import { openStudio, type Studio } from './chromium.ts';
import { readCode, writeCode } from './code-editor.ts';

/** The query editor with the real executable behind it, and pymodbus behind that. */
let far: FarProgram;
let studio: Studio;

const counter = { table: 'holding', register: 20, type: 'uint64', order: 'ABCDEFGH' };
const input = (register: number) => ({ table: 'input', register, type: 'int16', order: 'AB' });

beforeAll(async () => {
  far = await startPython('modbus.py', 0);
  const transport = { type: 'tcp', host: '127.0.0.1', port: far.port };
  await far.ask({ unit: 1, ...input(0), set: 215 });
  await far.ask({ unit: 1, table: 'coil', register: 3, set: true });
  await far.ask({ unit: 1, ...counter, set: 1_204_345 });
  const room = (id: string, site: string) => ({
    id,
    connection: 'plc',
    address: { unitId: 1 },
    interval: '500ms',
    labels: { site },
    points: [
      { id: 'temp', title: 'Temperature', address: input(0), scale: 0.1, unit: 'celsius' },
      { id: 'pump', title: 'Pump', address: { table: 'coil', register: 3 }, access: 'read-write', enum: { 0: 'off', 1: 'on' } },
      { id: 'name', address: { table: 'holding', register: 100, type: 'string', length: 4 } },
    ],
  });
  const cellar = room('cellar', 'south');
  studio = await openStudio({
    version: 1,
    connections: [{ id: 'plc', kind: 'modbus', transport }],
    devices: [
      { ...room('room-a', 'north'), title: 'Room A' },
      room('room-b', 'north'),
      { ...cellar, points: [...cellar.points, { id: 'energy', address: counter, unit: 'kwatth' }] },
    ],
  });
});
afterAll(async () => {
  await studio?.close();
  await far?.kill();
});

interface Stand {
  query: Record<string, unknown>;
  data?: {
    series: {
      name?: string;
      length: number;
      fields: { name: string; labels?: Record<string, string>; values: unknown[] }[];
      meta?: Record<string, unknown>;
    }[];
  };
}

const standOf = (page: Page) => page.evaluate(() => (window as unknown as { stand: Stand }).stand);
async function open(query?: object, more = '', viewport?: { width: number; height: number }): Promise<Page> {
  const page = await studio.open(
    `show=query${query ? `&query=${encodeURIComponent(JSON.stringify({ refId: 'A', ...query }))}` : ''}${more}`,
    viewport,
  );
  page.setDefaultTimeout(6_000);
  return page;
}

async function choose(page: Page, label: string, typed: string, option: RegExp): Promise<void> {
  const box = page.getByRole('combobox', { name: label, exact: true });
  await box.click();
  await box.fill(typed);
  await page.getByRole('option', { name: option }).first().click();
  await page.keyboard.press('Escape');
}

describe('builder', () => {
  it('is filled in with names, patterns and what they mean, and asks by itself', async () => {
    const page = await open();
    await choose(page, 'Devices', 'room', /\*room\*.*2 devices/);
    await page.getByText('2 devices, 3 points').waitFor();
    await choose(page, 'Points', 'temp', /^Temperature/);
    await page.getByText('2 devices, 1 point').waitFor();
    // The latest value under the picker, with its unit.
    await page.getByText('21.5 °C').waitFor();
    await choose(page, 'Aggregate', 'Aver', /Average/);
    await choose(page, 'Interval', '15', /15m/);
    const { query } = await standOf(page);
    expect(query).toEqual({ refId: 'A', queryType: 'telemetry', devices: ['*room*'], points: ['temp'], aggregate: 'avg', interval: '15m' });
    await page.getByTestId('rows').filter({ hasText: 'room-a.temp' }).waitFor();
    await page.getByText(/^What ran: \d+ rows? in 2 frames/).click();
    await page.getByText('"aggregate": "avg"').waitFor();
  });

  it('reads a counter of 64 bits with its unit, as charts do', async () => {
    const page = await open({ queryType: 'latest', devices: ['cellar'], points: ['energy'] });
    await page.getByText('1.20 GWh').waitFor({ timeout: 15_000 });
  });

  it('takes conditions on labels, says how many hold, and asks for those', async () => {
    const page = await open({ queryType: 'latest', devices: ['*'], points: ['temp'] });
    await page.getByText('3 devices, 1 point').waitFor();
    await page.getByRole('button', { name: 'Label', exact: true }).click();
    await choose(page, 'Label 1', '', /^site/);
    await choose(page, 'Comparison 1', '', /^!=/);
    await choose(page, 'Values 1', '', /^north/);
    await page.getByText('1 device, 1 point').waitFor();
    expect((await standOf(page)).query.where).toEqual([{ label: 'site', operator: '!=', values: ['north'] }]);
  });

  it('is left and entered again without loss, also of what it does not show', async () => {
    const query = {
      queryType: 'telemetry',
      devices: ['cellar'],
      points: ['/^t/'],
      labels: { site: 's*' },
      timezone: 'Europe/Vienna',
      interval: '1d',
    };
    const page = await open(query);
    await page.getByText('site: s*').waitFor();
    await page.getByRole('radio', { name: 'Code' }).click();
    expect(JSON.parse(await readCode(page, 'Query as JSON'))).toEqual(query);
    await writeCode(page, 'Query as JSON', '{ "aggregate": ');
    await page.keyboard.press('Control+Space');
    await page.locator('.suggest-widget .monaco-list-row').filter({ hasText: 'share-in-state' }).waitFor();
    await page.keyboard.press('Escape');
    await writeCode(page, 'Query as JSON', JSON.stringify({ ...query, aggregate: 'max' }));
    await page.getByRole('radio', { name: 'Builder' }).click();
    await page.getByText('1 device, 1 point').waitFor();
    expect((await standOf(page)).query).toEqual({ refId: 'A', ...query, aggregate: 'max', editorMode: 'builder' });
  });

  it('says in the words of the backend what is wrong with a selector', async () => {
    const page = await open({ queryType: 'telemetry', devices: ['/(/'] });
    await page.getByText(/device.*RE2 expression/).waitFor();
  });

  it('shows what goes by connections without devices', async () => {
    const page = await open({ queryType: 'bus' });
    await page.getByRole('combobox', { name: 'Connections' }).waitFor();
    await page.getByRole('button', { name: 'Run' }).click();
    await page
      .getByTestId('rows')
      .filter({ hasText: /^bus [1-9]/ })
      .waitFor();
    expect(await page.getByRole('combobox', { name: 'Devices' }).count()).toBe(0);
  });
});

describe('alerting', () => {
  it('offers what can be alerted on only, and warns of text', async () => {
    const page = await open({ queryType: 'telemetry', devices: ['room-a'] }, '&app=unified-alerting');
    await page.getByText('An alert rule has no use for text: name.').waitFor();
    expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
    expect(await page.getByRole('combobox', { name: 'Format' }).count()).toBe(0);
    const types = page.getByRole('combobox', { name: 'Query type' });
    await types.click();
    const offered = await page.getByRole('option').allTextContents();
    expect(offered.length).toBe(5);
    expect(offered.join()).not.toMatch(/Raw traffic|Poll plan|Probe/);
    await page.getByRole('option', { name: /^Commands/ }).click();
    expect((await standOf(page)).query).toMatchObject({ queryType: 'commands', as: 'numbers' });
  });
});

describe('dashboards', () => {
  it('put ad hoc filters and variables into queries', async () => {
    const page = await open({ queryType: 'telemetry', devices: ['$room'], points: ['temp'] });
    await page.evaluate(() => {
      Object.assign(window, {
        standVariables: { room: ['room-a', 'cellar'] },
        standFilters: [{ key: 'site', operator: '!=', value: 'south' }],
      });
    });
    // The first sample may not be stored yet.
    const rows = async () => {
      await page.getByRole('button', { name: 'Run' }).click();
      return page.getByTestId('rows').textContent();
    };
    await expect.poll(rows, { timeout: 10_000 }).toMatch(/room-a\.temp/);
    const { data } = await standOf(page);
    expect(data?.series.map(({ name }) => name)).toEqual(['room-a.temp']);
  });

  it('ask raw traffic although the default query brought an empty choice of devices', async () => {
    const page = await open({ queryType: 'messages', devices: [] });
    const rows = async () => {
      await page.getByRole('button', { name: 'Run' }).click();
      return page.getByTestId('rows').textContent();
    };
    await expect.poll(rows, { timeout: 10_000 }).toMatch(/^messages \d/);
    expect(await page.getByTestId('error').textContent()).toBe('');
  });

  it('fill variables, each by what was chosen in the others', async () => {
    const page = await studio.open('show=variable');
    await page.getByRole('combobox', { name: 'Fill with' }).waitFor();
    const names = (query: object, variables: object = {}) =>
      page.evaluate(
        ([asked, chosen]) => {
          Object.assign(window, { standVariables: chosen });
          const { standSource } = window as unknown as {
            standSource: { variables: { query(request: object): { subscribe(next: (answer: { data: object[] }) => void): void } } };
          };
          return new Promise<object[]>((done) =>
            standSource.variables.query({ targets: [asked], scopedVars: {} }).subscribe(({ data }) => done(data)),
          );
        },
        [query, variables] as const,
      );
    expect(await names({ what: 'devices' })).toEqual([
      { text: 'cellar', value: 'cellar' },
      { text: 'Room A', value: 'room-a' },
      { text: 'room-b', value: 'room-b' },
    ]);
    expect(await names({ what: 'devices', labels: { site: '$site' } }, { site: ['north', 'east'] })).toMatchObject([
      { value: 'room-a' },
      { value: 'room-b' },
    ]);
    expect(await names({ what: 'points', devices: ['$room'] }, { room: 'cellar' })).toMatchObject([
      { value: 'energy' },
      { value: 'name' },
      { value: 'pump' },
      { value: 'temp' },
    ]);
    expect(await names({ what: 'labels' })).toMatchObject([{ value: 'site' }]);
    expect(await names({ what: 'values', label: '$name' }, { name: 'site' })).toMatchObject([{ value: 'north' }, { value: 'south' }]);
    expect(await names({ what: 'connections' })).toMatchObject([{ value: 'plc' }]);
    await choose(page, 'Fill with', 'Label v', /Label values/);
    await page.getByRole('textbox', { name: 'Label', exact: true }).fill('site');
    await page.keyboard.press('Enter');
    expect((await standOf(page)).query).toMatchObject({ what: 'values', label: 'site' });
  });

  it('offer labels, devices and points to ad hoc filters', async () => {
    const page = await studio.open('show=query');
    await page.getByRole('combobox', { name: 'Query type' }).waitFor();
    const [keys, sites, points] = await page.evaluate(async () => {
      const { standSource: source } = window as unknown as {
        standSource: { getTagKeys(): Promise<{ value: string }[]>; getTagValues(of: { key: string }): Promise<{ value: string }[]> };
      };
      const all = await Promise.all([source.getTagKeys(), source.getTagValues({ key: 'site' }), source.getTagValues({ key: 'point' })]);
      return all.map((list) => list.map(({ value }) => value));
    });
    expect(keys).toEqual(['device', 'point', 'site']);
    expect(sites).toEqual(['north', 'south']);
    expect(points).toEqual(['energy', 'name', 'pump', 'temp']);
  });
});

it('says in a table of newest values what each is, with its unit', async () => {
  const page = await open({ queryType: 'latest', devices: ['room-a'], format: 'long' });
  const textsNow = async () => {
    await page.getByRole('button', { name: 'Run' }).click();
    const { data } = await standOf(page);
    return data?.series[0]?.fields.find(({ name }) => name === 'text')?.values;
  };
  // By name: what the register of the name holds, a state by its name, a number with its unit.
  await expect.poll(textsNow).toEqual(['', expect.stringMatching(/^(on|off)$/), expect.stringMatching(/^-?\d+(\.\d)? °C$/)]);
});

it('helps with examples of the own devices', async () => {
  const page = await studio.open('show=help');
  await page.getByRole('heading', { name: 'Temperature over time' }).waitFor();
  await page.getByText('{"queryType":"telemetry","devices":["cellar"],"points":["temp"]}').waitFor();
});

describe('everybody', () => {
  it.each(['dark', 'light'])('can use it with a %s theme: nothing that axe finds', async (theme) => {
    const page = await open(
      {
        queryType: 'telemetry',
        devices: ['room-*'],
        points: ['temp'],
        aggregate: 'avg',
        where: [{ label: 'site', operator: '=', values: ['north'] }],
      },
      `&theme=${theme}`,
    );
    await page.getByText('2 devices, 1 point').waitFor();
    expect(await violations(page)).toEqual([]);
    const variable = await studio.open(`show=variable&theme=${theme}`);
    await variable.getByRole('combobox', { name: 'Fill with' }).waitFor();
    expect(await violations(variable)).toEqual([]);
  });

  it('finds no scroll bar across on a narrow screen', async () => {
    const page = await open({ queryType: 'telemetry', devices: ['room-a'], points: ['temp'], aggregate: 'avg' }, '', {
      width: 380,
      height: 700,
    });
    await page.getByText('1 device, 1 point').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  });

  it('gets by with the keyboard alone', async () => {
    const page = await open({ queryType: 'telemetry', devices: [] });
    await page.getByRole('combobox', { name: 'Query type' }).focus();
    // Opens the list at what is chosen; the next one is "Latest values".
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: /Latest values/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await standOf(page)).query.queryType).toBe('latest');
    await page.getByRole('combobox', { name: 'Devices' }).focus();
    await page.keyboard.type('Room A');
    await page.getByRole('option', { name: /^Room A/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await standOf(page)).query).toMatchObject({ queryType: 'latest', devices: ['room-a'] });
  });
});

it('says nothing on the console that is an error', () => {
  // The stand-in has no spinner; and a status is said once with its address.
  expect(studio.errors.filter((text) => !/spinner|Failed to load resource/.test(text))).toEqual([]);
});
