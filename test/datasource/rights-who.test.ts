/** DESIGN §7: who is no person, and who may command. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/contract/caller.ts';
import type { Asked } from './plant.ts';
import { ask, closePlant, expectProblem, far, openPlant, plant, settings, table, value } from './rights-rig.ts';

beforeAll(openPlant);
afterAll(closePlant);

describe('who is no person', () => {
  const strangers = [
    ['an alert rule', { role: 'Admin', login: 'grafana_scheduler' }],
    ['a visitor who is not signed in, with the role Admin', { role: 'Admin', login: '' }],
    ['a visitor with a blank name', { role: 'Admin', login: ' ' }],
    ['a public dashboard', { role: 'Viewer', login: '' }],
    ['a public dashboard of Grafana 12.4', { role: 'Admin', login: 'service' }],
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
