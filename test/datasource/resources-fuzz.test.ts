import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roles } from '../../src/contract/caller.ts';
import { freePort } from '../far/mosquitto.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let plant: Plant;
beforeAll(async () => {
  plant = await startPlant(demoSettings({ modbus: await freePort(), mqtt: await freePort() }));
});
afterAll(() => plant?.close());

const segment = fc.oneof(
  fc.constantFrom(
    'devices',
    'boiler',
    'points',
    'setpoint',
    'temp',
    'commands',
    'schema',
    'access',
    'me',
    'config',
    'check',
    '..',
    '%2e',
    '%',
    '%00',
    '',
    '__proto__',
    '{device}',
  ),
  fc.string({ maxLength: 8 }),
);
const path = fc.oneof(
  fc.constantFrom('devices/boiler/points/setpoint', 'config/check', 'devices', 'commands', 'connections'),
  fc.constantFrom(
    'suggest',
    'export',
    'help',
    'profiles',
    'profiles/eastron-sdm630/image',
    'devices/boiler/commands/reboot',
    'openapi.json',
  ),
  fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('/')),
);
const query = fc.oneof(
  fc.constant(''),
  fc.constantFrom('?fresh=1', '?limit=5', '?label=site:north', '?'),
  fc.string().map((text) => `?${text}`),
  fc
    .array(
      fc.tuple(
        fc.constantFrom('what', 'prefix', 'name', 'limit', 'device', 'point', 'label', 'from', 'to', 'format', 'quality', 'fresh'),
        fc.oneof(fc.constantFrom('values', 'now', 'now-1h', 'arrow', 'ndjson', '*', '/^b/', 'site:*', 'all', '5'), fc.string()),
      ),
      { maxLength: 4 },
    )
    .map((pairs) => `?${new URLSearchParams(pairs).toString()}`),
);
const body = fc.oneof(
  fc.constant(undefined),
  fc.json(),
  fc.string(),
  fc.uint8Array(),
  fc
    .record({ value: fc.oneof(fc.double(), fc.string(), fc.boolean()), wait: fc.constantFrom('0ms', '10ms', 'x') })
    .map((value) => JSON.stringify(value)),
);
const method = fc.constantFrom('GET', 'POST', 'POST', 'HEAD', 'PUT', 'x');
const type = fc.constantFrom('application/json', 'application/json', 'text/plain', '', undefined);

describe('resources', () => {
  it('answer whatever is asked, and never with 500', async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        path,
        query,
        method,
        body,
        type,
        fc.constantFrom(...roles, 'nobody' as const),
        async (to, search, by, sent, contentType, role) => {
          const answer = await plant.ask(`${to.replaceAll('?', '')}${search}`, {
            method: by,
            body: sent,
            role,
            headers: { 'content-type': contentType },
          });
          seen.add(answer.status);
          expect(answer.status).toBeGreaterThanOrEqual(200);
          expect(answer.status, answer.text).not.toBe(500);
          const kind = answer.headers['content-type'] ?? '';
          expect(kind).toMatch(
            answer.status >= 400
              ? /^application\/problem\+json$/
              : /^(application\/(json|x-ndjson|vnd\.apache\.arrow\.stream)|text\/(html|csv); charset=utf-8.*|image\/svg\+xml)$/,
          );
          if (by === 'HEAD') expect(answer.text).toBe('');
          else if (/json$/.test(kind) && !/ndjson/.test(kind)) expect(typeof answer.json).toBe('object');
        },
      ),
      { numRuns: 1_000 },
    );
    expect([...seen]).toEqual(expect.arrayContaining([200, 400, 403, 404, 405, 415]));
    expect((await plant.ask('access/me')).status, 'it still answers').toBe(200);
  });
});
