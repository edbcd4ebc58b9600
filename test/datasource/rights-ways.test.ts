/** DESIGN §7: no other spelling of a path leads round the table of rights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, closePlant, openPlant, plant, table } from './rights-rig.ts';

beforeAll(openPlant);
afterAll(closePlant);

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
