/** DESIGN §7: who may ask what, route by route. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roleAtLeast, roles } from '../../src/contract/caller.ts';
import { routes } from '../../src/contract/rights.ts';
import { ask, closePlant, expectProblem, far, openPlant, plant, table } from './rights-rig.ts';

beforeAll(openPlant);
afterAll(closePlant);

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
