import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../src/contract/rights.ts';
import { freePort } from '../far/mosquitto.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let plant: Plant;
beforeAll(async () => {
  plant = await startPlant(demoSettings({ modbus: await freePort(), mqtt: await freePort() }), { memory: true });
});
afterAll(() => plant?.close());

describe('openapi.json', () => {
  it('is what the specification wants', async () => {
    const { status, json } = await plant.ask('openapi.json', { role: 'Viewer' });
    expect(status).toBe(200);
    const found = await new Validator().validate(structuredClone(json));
    expect(found).toEqual({ valid: true });
    expect(json.openapi).toMatch(/^3\.1\./);
  });

  it('has each route with its least role, and no other', async () => {
    const { json } = await plant.ask('openapi.json');
    const there = Object.entries<Record<string, { 'x-least-role': string }>>(json.paths).flatMap(([path, item]) =>
      ['get', 'post', 'put', 'delete', 'patch'].flatMap((method) =>
        item[method] ? [`${method.toUpperCase()} ${path.slice(1)} ${item[method]['x-least-role']}`] : [],
      ),
    );
    expect(there.sort()).toEqual(routes.map(({ method, path, least }) => `${method} ${path} ${least}`).sort());
  });

  it('refers to nothing that is not there', async () => {
    const { json, text } = await plant.ask('openapi.json');
    const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(json.components.schemas).toHaveProperty(name ?? '');
    expect(text).not.toContain('$defs');
    const ids = Object.values<Record<string, { operationId?: string }>>(json.paths).flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    );
    expect(new Set(ids).size).toBe(routes.length);
  });

  it('describes queries, and so does the help page', async () => {
    const { json } = await plant.ask('openapi.json');
    const { aggregate, interval } = json.components.schemas.Query.properties;
    expect(aggregate.enum).toContain('time-in-state');
    const { text } = await plant.ask('help', { role: 'Viewer' });
    expect(text).toContain('<code>aggregate</code>');
    expect(text).toContain('share-in-state');
    expect(text).toContain(interval.description.slice(0, 40));
  });
});
