/** DESIGN §7: who may ask what. The table stands here once more, by hand, so that a mistake in the code's own is seen; and a plant to ask. */
import { expect } from 'vitest';
import * as z from 'zod';
import { drivers } from '../../drivers/index.ts';
import type { Role } from '../../src/contract/caller.ts';
import { lineDriver } from '../gateway/line-driver.ts';
import { type PlantServer, plantServer } from '../gateway/plant-server.ts';
import { type Asked, type Plant, startPlant } from './plant.ts';

export interface Line {
  method: 'GET' | 'POST' | 'DELETE';
  /** As in the table of the code. */
  route: string;
  /** Something there is. */
  path: string;
  least: Role;
  status: number;
  type: RegExp;
  body?: unknown;
  /** Asked under `/api/plugins/<id>/resources`. */
  without?: true;
}

const json = /^application\/json$/;
export const value = { value: 21 };
export const table: Line[] = [
  { method: 'GET', route: 'openapi.json', path: 'openapi.json', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'help', path: 'help', least: 'Viewer', status: 200, type: /^text\/html; charset=utf-8$/ },
  { method: 'GET', route: 'schema', path: 'schema', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'drivers', path: 'drivers', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'profiles', path: 'profiles', least: 'Viewer', status: 200, type: json },
  {
    method: 'GET',
    route: 'profiles/{profile}/image',
    path: 'profiles/eastron-sdm630/image',
    least: 'Viewer',
    status: 200,
    type: /^image\/svg\+xml$/,
  },
  { method: 'GET', route: 'connections', path: 'connections', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'devices', path: 'devices', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'devices/{device}', path: 'devices/pump', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'devices/{device}/points', path: 'devices/pump/points', least: 'Viewer', status: 200, type: json },
  {
    method: 'GET',
    route: 'devices/{device}/points/{point}',
    path: 'devices/pump/points/speed',
    least: 'Viewer',
    status: 200,
    type: json,
  },
  {
    method: 'GET',
    route: 'devices/{device}/points/{point}',
    path: 'devices/pump/points/speed?fresh=1',
    least: 'Editor',
    status: 200,
    type: json,
  },
  { method: 'GET', route: 'suggest', path: 'suggest', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'access/me', path: 'access/me', least: 'Viewer', status: 200, type: json },
  { method: 'GET', route: 'export', path: 'export', least: 'Editor', status: 200, type: /^text\/csv/ },
  // What it takes is not JSON, which all of this table sends.
  { method: 'POST', route: 'import', path: 'import', least: 'Admin', status: 415, type: json, body: {} },
  { method: 'GET', route: 'series', path: 'series', least: 'Viewer', status: 200, type: json },
  { method: 'DELETE', route: 'history', path: 'history', least: 'Admin', status: 400, type: json },
  { method: 'POST', route: 'backup', path: 'backup', least: 'Admin', status: 200, type: json, body: {} },
  { method: 'GET', route: 'backups', path: 'backups', least: 'Admin', status: 200, type: json },
  { method: 'GET', route: 'events', path: 'events', least: 'Editor', status: 200, type: /^application\/x-ndjson$/ },
  { method: 'GET', route: 'commands', path: 'commands', least: 'Editor', status: 200, type: json },
  { method: 'GET', route: 'commands/{id}', path: 'commands/none', least: 'Editor', status: 404, type: json },
  {
    method: 'POST',
    route: 'devices/{device}/points/{point}',
    path: 'devices/pump/points/speed',
    least: 'Editor',
    status: 200,
    type: json,
    body: value,
  },
  {
    method: 'POST',
    route: 'devices/{device}/commands/{command}',
    path: 'devices/pump/commands/stop',
    least: 'Editor',
    status: 200,
    type: json,
    body: {},
  },
  {
    method: 'POST',
    route: 'devices/{device}/commands/{command}',
    path: 'devices/pump/commands/reset',
    least: 'Admin',
    status: 200,
    type: json,
    body: {},
  },
  {
    method: 'POST',
    route: 'commands',
    path: 'commands',
    least: 'Editor',
    status: 200,
    type: json,
    body: { commands: [{ device: 'pump', point: 'speed', value: 21 }] },
  },
  { method: 'DELETE', route: 'commands/{id}', path: 'commands/none', least: 'Editor', status: 404, type: json },
  { method: 'DELETE', route: 'devices/{device}/lock', path: 'devices/none/lock', least: 'Editor', status: 404, type: json },
  {
    method: 'POST',
    route: 'devices/{device}/lock',
    path: 'devices/none/lock',
    least: 'Editor',
    status: 404,
    type: json,
    body: { reason: 'work' },
  },
  { method: 'GET', route: 'audit', path: 'audit', least: 'Admin', status: 200, type: /^application\/x-ndjson$/ },
  { method: 'GET', route: 'audit/check', path: 'audit/check', least: 'Admin', status: 200, type: json },
  { method: 'POST', route: 'hooks/alert', path: 'hooks/alert', least: 'Editor', status: 404, type: json, body: { alerts: [] } },
  {
    method: 'POST',
    route: 'connections/{connection}/probe',
    path: 'connections/line/probe',
    least: 'Admin',
    status: 404,
    type: json,
    body: {},
  },
  {
    method: 'POST',
    route: 'connections/{connection}/scan',
    path: 'connections/line/scan',
    least: 'Admin',
    status: 200,
    type: /^application\/x-ndjson$/,
    body: { options: { units: 1 } },
  },
  { method: 'GET', route: 'connections/{connection}/survey', path: 'connections/none/survey', least: 'Admin', status: 404, type: json },
  { method: 'POST', route: 'config/check', path: 'config/check', least: 'Admin', status: 200, type: json, body: {} },
  { method: 'GET', route: 'instances', path: 'instances', least: 'Admin', status: 200, type: json, without: true },
  { method: 'DELETE', route: 'instances/{uid}', path: 'instances/none', least: 'Admin', status: 404, type: json, without: true },
];

export let far: PlantServer;
export let plant: Plant;

/** Before all tests of a file. */
export async function openPlant(): Promise<void> {
  far = await plantServer();
  far.units.set('1', { registers: new Map() });
  far.units.set('3', { registers: new Map([['speed', '20']]) });
  plant = await startPlant(settings(), { drivers: [...drivers, { ...lineDriver(), action: z.looseObject({}) }] });
  await plant.until('devices/pump/points/speed', (answer) => answer.json.last?.quality === 'good');
}

/** After them. */
export async function closePlant(): Promise<void> {
  await plant?.close();
  await far?.stop();
}

export function settings(rights = {}) {
  const address = { register: 'speed', shape: { type: 'float64' } };
  return {
    connections: [{ id: 'line', kind: 'line', port: far.port, timeoutMs: 500, inFlight: 1 }],
    devices: [
      {
        id: 'pump',
        connection: 'line',
        address: { unit: '3' },
        interval: '20ms',
        points: [{ id: 'speed', address, access: 'read-write' }],
        commands: [{ id: 'stop' }, { id: 'reset', role: 'Admin' }],
      },
    ],
    rights,
  };
}

/** Long answers are left as soon as they have begun. */
export async function ask(line: Pick<Line, 'path'> & Partial<Line>, asked: Asked = {}) {
  const { method = 'GET', path, body, without } = line;
  const all = { method, datasource: !without, ...(body === undefined ? {} : { body }), ...asked };
  if (!/^events/.test(path) || all.method !== 'GET') return await plant.ask(path, all);
  const reader = plant.open(path, all);
  await reader.until(() => reader.status !== 0 && (reader.status !== 200 || reader.text !== ''));
  reader.leave();
  await reader.ended;
  const { status, headers, text } = reader;
  return { status, headers, text, json: status === 200 ? undefined : JSON.parse(text) };
}

/** Every refusal is a document a person can act on. */
export function expectProblem(answer: { status: number; headers: Record<string, string>; json: unknown }, status: number) {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json).toMatchObject({
    type: expect.stringMatching(/^urn:fieldgate:problem:[a-z-]+$/),
    title: expect.any(String),
    status,
    detail: expect.stringMatching(/.{10}/),
  });
}
