/** DESIGN §7: who may ask what. The table stands here once more, by hand, so that a mistake in the code's own is seen. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drivers } from '../../drivers/index.ts';
import { type Role, roleAtLeast, roles } from '../../src/contract/caller.ts';
import { routes } from '../../src/contract/rights.ts';
import { lineDriver } from '../gateway/line-driver.ts';
import { type PlantServer, plantServer } from '../gateway/plant-server.ts';
import { type Asked, type Plant, startPlant } from './plant.ts';

interface Line {
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
const value = { value: 21 };
const table: Line[] = [
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

let far: PlantServer;
let plant: Plant;

beforeAll(async () => {
  far = await plantServer();
  far.units.set('1', { registers: new Map() });
  far.units.set('3', { registers: new Map([['speed', '20']]) });
  plant = await startPlant(settings(), { drivers: [...drivers, { ...lineDriver(), action: z.looseObject({}) }] });
  await plant.until('devices/pump/points/speed', (answer) => answer.json.last?.quality === 'good');
});
afterAll(async () => {
  await plant?.close();
  await far?.stop();
});

function settings(rights = {}) {
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
async function ask(line: Pick<Line, 'path'> & Partial<Line>, asked: Asked = {}) {
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
function expectProblem(answer: { status: number; headers: Record<string, string>; json: unknown }, status: number) {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json).toMatchObject({
    type: expect.stringMatching(/^urn:fieldgate:problem:[a-z-]+$/),
    title: expect.any(String),
    status,
    detail: expect.stringMatching(/.{10}/),
  });
}

describe('the table of rights', () => {
  it('is that of the code', () => {
    const written = new Set(table.map(({ method, route, without }) => `${method} ${route} ${without ?? false}`));
    expect(new Set(routes.map((route) => `${route.method} ${route.path} ${'without' in route}`))).toEqual(written);
  });

  it.each(table.flatMap((line) => [...roles, 'nobody' as const].map((role) => ({ ...line, role }))))(
    '$method $path as $role',
    async ({ role, ...line }) => {
      const answer = await ask(line, { role });
      if (role === 'nobody' || !roleAtLeast(role, line.least)) return expectProblem(answer, 403);
      if (line.status !== 200) return expectProblem(answer, line.status);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(line.type);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
    },
  );

  it.each(table)('$method $path where it does not belong', async (line) => {
    const answer = await ask(line, { datasource: line.without === true });
    expectProblem(answer, 400);
    expect(answer.json.type).toMatch(/:(no-data-source|not-of-a-data-source)$/);
  });

  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'get', 'post', ''];
  const paths = [...new Map(table.map((line) => [line.route, line])).values()];
  it.each(paths.flatMap((line) => methods.map((method) => ({ line, path: line.path, method }))))(
    '$method on $path',
    async ({ line, method }) => {
      const there = table.filter(({ route }) => route === line.route).map((one) => one.method as string);
      const allowed = new Set(there.includes('GET') ? ['HEAD', ...there] : there);
      const answer = await ask(line, { method, body: line.body ?? {} });
      if (!allowed.has(method)) {
        expect(answer.status).toBe(405);
        if (method !== 'HEAD') expectProblem(answer, 405);
        expect(new Set(answer.headers.allow?.split(', '))).toEqual(allowed);
      } else {
        expect(answer.status).not.toBe(405);
        if (method === 'HEAD') expect(answer.text).toBe('');
      }
    },
  );

  it('has no body in the answer to HEAD, whatever the answer', async () => {
    for (const path of ['nothing', 'devices/none', 'devices/%ff', 'commands/none']) {
      const answer = await plant.ask(path, { method: 'HEAD' });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(answer.text, path).toBe('');
    }
  });

  it('goes by the method that was sent, whatever a header or a query says', async () => {
    const names = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Original-Method', 'X-Rewrite-URL', 'X-Original-URL'];
    const overrides = Object.fromEntries(names.flatMap((name) => [[name, 'POST']]));
    const before = far.requests.filter(({ text }) => text.startsWith('W')).length;
    for (const line of table.filter(({ method }) => method === 'POST')) {
      const answer = await plant.ask(`${line.path}?_method=POST&method=POST`, { headers: overrides, body: line.body });
      expect([200, 405]).toContain(answer.status);
    }
    expect(far.requests.filter(({ text }) => text.startsWith('W')).length).toBe(before);
  });

  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['APPLICATION/JSON;CHARSET="UTF-8"', 200],
    [undefined, 415],
    ['', 415],
    ['text/plain', 415],
    ['text/plain; application/json', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/json-patch+json', 415],
    ['application/json, text/plain', 415],
    ['application/json; charset=latin1', 415],
    ['application/json\u0000', 415],
  ])('content type %j', async (type, status) => {
    for (const line of table.filter(({ method }) => method === 'POST')) {
      const answer = await plant.ask(line.path, { method: 'POST', body: line.body, headers: { 'content-type': type } });
      expect(answer.status, line.path).toBe(status === 200 ? line.status : status);
    }
  });
});

describe('ways round the table', () => {
  /** Each is another way to write a path; what some server takes for the same must not be another thing to us than to whoever looked before us. */
  const spellings: [string, (path: string) => string][] = [
    ['a slash before', (path) => `/${path}`],
    ['a slash behind', (path) => `${path}/`],
    ['two slashes', (path) => path.replace('/', '//')],
    ['an empty part before', (path) => `//${path}`],
    ['a dot part', (path) => `./${path}`],
    ['a way up and down', (path) => `schema/../${path}`],
    ['an encoded way up', (path) => `schema/%2e%2e/${path}`],
    ['a way up encoded twice', (path) => `schema/%252e%252e/${path}`],
    ['an overlong dot', (path) => `schema/%c0%ae%c0%ae/${path}`],
    ['an overlong slash', (path) => path.replace('/', '%c0%af')],
    ['an encoded slash', (path) => path.replace('/', '%2f')],
    ['an encoded slash before', (path) => `%2F${path}`],
    ['a backslash', (path) => path.replace('/', '\\')],
    ['an encoded backslash', (path) => path.replace('/', '%5c')],
    ['a zero byte behind', (path) => `${path}%00`],
    ['a zero byte and an end', (path) => `${path}%00.json`],
    ['a semicolon parameter', (path) => `${path};role=Admin`],
    ['a fragment', (path) => `${path}%23x`],
    ['an encoded question mark', (path) => `${path}%3ffresh=0`],
    ['a broken percent', (path) => `${path}%`],
    ['half a character', (path) => `${path}%e2%82`],
    ['capitals', (path) => path.toUpperCase()],
    ['a full-width letter', (path) => path.replace(/[a-z]/, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0))],
    ['a blank', (path) => `${path}%20`],
    ['a line break', (path) => `${path}%0d%0aX-Role:%20Admin`],
    ['braces', (path) => path.replace(/[^/]+$/, '{device}')],
    ['a prototype', (path) => path.replace(/[^/]+$/, '__proto__')],
  ];
  it.each(spellings)('%s', async (name, spell) => {
    for (const line of table) {
      const [plain = ''] = line.path.split('?');
      const path = spell(plain);
      if (path === plain) continue;
      const answer = await plant.ask(path, { method: line.method, role: 'Admin', datasource: !line.without, body: line.body ?? {} });
      expect([400, 404, 405], `${line.method} ${path}`).toContain(answer.status);
      // Another name in the last place may be another resource, with methods of its own.
      if (answer.status === 405) expect(name, path).toMatch(/prototype|braces/);
    }
  });

  it('decodes once: an encoded letter is the letter, one encoded twice is not', async () => {
    for (const line of table.filter(({ method }) => method === 'GET')) {
      const [path = ''] = line.path.split('?');
      const encoded = `%${path.charCodeAt(0).toString(16)}${path.slice(1)}`;
      if (path !== 'events') expect((await ask({ ...line, path: encoded }, { role: 'Admin' })).status, encoded).toBe(line.status);
      expect((await plant.ask(encoded, { role: 'None', datasource: !line.without })).status, encoded).toBe(403);
      const twice = encoded.replace('%', '%25');
      expect((await plant.ask(twice, { role: 'Admin', datasource: !line.without })).status, twice).toBe(400);
    }
  });

  it('bounds each part and the whole path', async () => {
    for (const path of [`devices/${'x'.repeat(65)}`, `devices/pump/points/${'x'.repeat(100_000)}`, 'a/'.repeat(50_000)]) {
      const answer = await plant.ask(path);
      expect([400, 404]).toContain(answer.status);
      expect(answer.text.length).toBeLessThan(1_000);
    }
  });
});

describe('who is no person', () => {
  const strangers = [
    ['an alert rule', { role: 'Admin', login: 'grafana_scheduler' }],
    ['a visitor who is not signed in, with the role Admin', { role: 'Admin', login: '' }],
    ['a visitor with a blank name', { role: 'Admin', login: ' ' }],
    ['a public dashboard', { role: 'Viewer', login: '' }],
  ] as const;
  it.each(strangers)('%s reads and changes nothing', async (_name, who) => {
    expect((await plant.ask('devices', who)).status).toBe(200);
    expect((await plant.ask('access/me', who)).json.may.command).toBe(false);
    const before = far.requests.filter(({ text }) => text.startsWith('W')).length;
    for (const line of table.filter(({ method }) => method !== 'GET')) expectProblem(await ask(line, who), 403);
    expect(far.requests.filter(({ text }) => text.startsWith('W')).length).toBe(before);
    expect((await plant.ask('help', who)).text).not.toContain('-X POST');
  });

  it('is a role nobody has heard of', async () => {
    for (const line of table) expectProblem(await ask(line, { role: 'Root' as Role }), 403);
  });
});

describe('who may command', () => {
  const set = (asked: Asked) => plant.ask('devices/pump/points/speed', { method: 'POST', body: value, ...asked });

  it('is said by the rights of the settings, and by an action that asks for more', async () => {
    const run = (command: string, role: Role) => plant.ask(`devices/pump/commands/${command}`, { method: 'POST', body: {}, role });
    expect((await run('stop', 'Editor')).json).toMatchObject({ kind: 'act', point: 'stop', state: 'acknowledged' });
    expect((await run('reset', 'Editor')).json.detail).toBe('commands need the role Admin here, and yours is Editor');
    expect((await run('reset', 'Admin')).json).toMatchObject({ point: 'reset', state: 'acknowledged' });

    plant.save(settings({ command: 'Admin' }));
    const refused = await set({ role: 'Editor' });
    expectProblem(refused, 403);
    expect(refused.json.detail).toBe('commands need the role Admin here, and yours is Editor');
    expectProblem(await run('stop', 'Editor'), 403);
    expect((await plant.ask('access/me', { role: 'Editor' })).json).toEqual({
      user: { login: 'ada', name: 'Ada', role: 'Editor' },
      may: { read: true, readNow: true, command: false, configure: false },
      rights: { command: 'Admin' },
      why: 'commands need the role Admin here, and yours is Editor',
    });
    expect((await set({ role: 'Admin' })).status).toBe(200);
    plant.save(settings());
    expect((await set({ role: 'Editor' })).status).toBe(200);
  });

  it('is only an Admin while the rights are mistyped', async () => {
    plant.save(settings({ command: 'Editors' }));
    expectProblem(await set({ role: 'Editor' }), 403);
    expect((await set({ role: 'Admin' })).status).toBe(200);
    plant.save(settings());
  });
});
