/** Who may command what: rights by rule, and what an alert may do (DESIGN §8). */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historySchema } from '../../src/contract/settings.ts';
import { accessAnswer } from '../../src/datasource/resources/answers.ts';
import { closePlant, far, openPlant, plant, post, set, settings, writes } from './commands-rig.ts';
import type { Asked } from './plant.ts';

beforeEach(openPlant);
afterEach(closePlant);

describe('rights by rule', () => {
  const rules = [
    { devices: ['pump'], points: ['mode'], role: 'nobody' },
    { devices: ['/^pu/'], commands: ['stop'], role: 'Viewer' },
    { labels: { site: 'north' }, role: 'Admin' },
  ];
  const roles = ['Viewer', 'Editor', 'Admin'] as const;

  it('hold for points, commands and lists, and are told beforehand', async () => {
    plant.save(settings({ rights: { rules } }));
    const expected: [string, unknown, (typeof roles)[number] | 'nobody'][] = [
      ['devices/pump/points/mode', { value: 1 }, 'nobody'],
      ['devices/pump/commands/stop', {}, 'Viewer'],
      ['devices/pump/points/speed', { value: 30 }, 'Admin'],
      ['devices/fan/points/speed', { value: 30 }, 'Editor'],
      ['devices/fan/commands/stop', {}, 'Editor'],
    ];
    for (const role of roles) {
      const { targets } = accessAnswer.parse((await plant.ask('access/me?device=*', { role })).json);
      for (const [path, body, least] of expected) {
        const may = least !== 'nobody' && roles.indexOf(role) >= roles.indexOf(least);
        const [, device = '', kind, name = ''] = path.split('/');
        const part = kind === 'points' ? { point: name } : { command: name };
        expect((await post(path, body, { role })).status, `${role} ${path}`).toBe(may ? 200 : 403);
        expect(
          (await post('commands', { commands: [{ device, ...part, ...(body as object) }] }, { role })).status,
          `${role} list ${path}`,
        ).toBe(may ? 200 : 403);
        expect(targets?.find((one) => one.device === device && (one.point ?? one.command) === name)).toMatchObject({ may, least });
      }
    }
    // Who is no person gains nothing by a rule for Viewers.
    for (const login of ['', 'grafana_scheduler'])
      expect((await post('devices/pump/commands/stop', {}, { role: 'Admin', login })).status).toBe(403);
    expect((await post('devices/pump/commands/stop', {}, { datasource: false })).status).toBe(400);
  });

  it('are recorded with the reason of what they refuse, also where it is that of the list', async () => {
    plant.save(settings({ rights: { rules: [{ devices: ['pump'], role: 'nobody' }] } }));
    const speed = { device: 'pump', point: 'speed', value: 31 };
    expect((await post('commands', { commands: [speed], reason: 'a scene' })).status).toBe(403);
    expect((await set('pump.speed', 31)).status).toBe(403);
    const { json } = await plant.until('commands?state=rejected', (answer) => answer.json.commands.length === 2);
    expect(json.commands).toMatchObject([{ point: 'speed' }, { point: 'speed', kind: 'set', value: 31, reason: 'a scene' }]);
  });

  it('tell a Viewer who may command no host', async () => {
    plant.save(settings({ rights: { rules: [{ role: 'Viewer' }] } }));
    expect((await set('pump.speed', 30, { role: 'Viewer' })).status).toBe(200);
    await far.stop();
    await plant.until('devices/pump', ({ json }) => json.state === 'offline');
    const answers = [
      await set('pump.speed', 31, { role: 'Viewer' }),
      await post('commands', { commands: [{ device: 'pump', point: 'speed', value: 31 }] }, { role: 'Viewer' }),
      await plant.ask('access/me?device=pump', { role: 'Viewer' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 200]);
    for (const { text } of answers) expect(text).not.toMatch(/127\.0\.0\.1|hung up|ECONN/);
    expect((await set('pump.speed', 31)).text).toMatch(/127\.0\.0\.1|hung up|ECONN/);
  });

  it('that are mistyped leave commands to Admins', async () => {
    plant.save(settings({ rights: { rules: [{ devices: ['/(/'], role: 'Viewer' }] } }));
    expect((await set('pump.speed', 30)).status).toBe(403);
    expect((await set('pump.speed', 30, { role: 'Admin' })).status).toBe(200);
    expect((await plant.health()).message).toContain('rights.rules[0].devices[0]');
  });
});

describe('an alert', () => {
  const secret = 'a secret of the contact point';
  const alerts = {
    login: 'sa-1-alerts',
    rate: { max: 3, per: '1h' },
    commands: [
      { id: 'cool', labels: { alertname: 'Hot', site: '/^n/' }, device: 'pump', point: 'speed', value: 10 },
      { id: 'halt', when: 'resolved', labels: { alertname: 'Hot' }, device: 'pump', command: 'stop' },
      { id: 'deny', labels: { alertname: 'Wild' }, device: 'pump', point: 'speed', value: 1_000 },
    ],
  };
  const alert = (more: object = {}) => ({
    status: 'firing',
    labels: { alertname: 'Hot', site: 'north' },
    startsAt: '2026-01-01T00:00:00Z',
    fingerprint: 'f1',
    generatorURL: 'http://grafana/alerting/grafana/rule-uid-1/view?orgId=1',
    ...more,
  });
  const notify = (list: unknown[], asked: Asked & { at?: number; key?: string; sign?: string } = {}) => {
    const { at = Date.now(), key = secret, sign, ...rest } = asked;
    const text = JSON.stringify({ receiver: 'fieldgate', status: 'firing', version: '1', alerts: list });
    const stamp = String(Math.floor(at / 1_000));
    const mac = sign ?? createHmac('sha256', key).update(`${stamp}:${text}`).digest('hex');
    const headers = { 'content-type': 'application/json', 'x-grafana-alerting-signature': mac, 'x-grafana-alerting-timestamp': stamp };
    return plant.ask('hooks/alert', { method: 'POST', body: text, role: 'Editor', login: 'sa-1-alerts', headers, ...rest });
  };
  const on = (more: object = {}, rights: object = {}) =>
    plant.save(settings({ rights: { alerts: { ...alerts, ...more }, ...rights } }), { secrets: { 'hooks/alert': secret } });

  it('makes the one command its labels say, once, recorded with the uid of its rule', async () => {
    on();
    const answer = await notify([alert(), alert({ labels: { alertname: 'Other' } })]);
    expect(answer).toMatchObject({ status: 200, json: { outcomes: [{ command: 'cool', alert: 'f1' }, { status: 204 }] } });
    const { id } = answer.json.outcomes[0];
    const ended = await plant.until(`commands/${id}`, ({ json }) => json.times.ended !== undefined);
    expect(ended.json).toMatchObject({
      state: 'verified',
      value: 10,
      origin: { hook: 'cool', rule: 'rule-uid-1', fingerprint: 'f1' },
      user: { login: 'sa-1-alerts' },
      reason: 'alert Hot is firing',
    });
    // Grafana repeats a notification for as long as the alert lasts.
    expect((await notify([alert()])).json.outcomes[0].id).toBe(id);
    expect((await notify([alert({ startsAt: '2026-01-02T00:00:00Z' })])).json.outcomes[0].id).not.toBe(id);
    await notify([alert({ status: 'resolved' })]);
    await plant.until('commands?point=stop', ({ json }) => json.commands[0]?.times.ended !== undefined);
    expect(writes()).toEqual(['W 3 speed 10', 'W 3 speed 10', 'W 3 stop {}']);
  });

  it('is remembered for longer than its signature is believed, however soon commands are forgotten', () => {
    for (const [commandsRetention, taken] of [
      ['599s', false],
      ['10m', true],
    ])
      expect(historySchema.safeParse({ commandsRetention }).success).toBe(taken);
  });

  it('makes a command that is not sent any more when it had to wait too long', async () => {
    on({ expires: '100ms' });
    const unit = far.units.get('3');
    if (unit) unit.delayMs = 600;
    const first = set('pump.speed', 31);
    await plant.until('commands', ({ json }) => json.commands.some(({ state }: { state: string }) => state === 'sent'));
    const { id } = (await notify([alert()])).json.outcomes[0];
    const ended = await plant.until(`commands/${id}`, ({ json }) => json.times.ended !== undefined);
    expect(ended.json).toMatchObject({ state: 'expired', origin: { rule: 'rule-uid-1' } });
    if (unit) unit.delayMs = 0;
    await first;
    expect(writes()).toEqual(['W 3 speed 31']);
  });

  it('is refused without its account, its signature, or in time', async () => {
    expect((await notify([alert()])).status).toBe(404);
    plant.save(settings({ rights: { alerts } }));
    expect(await notify([alert()])).toMatchObject({ status: 403, json: { detail: expect.stringContaining('hooks/alert') } });
    on();
    for (const wrong of [
      { login: 'sa-1-other' },
      { role: 'Viewer' },
      { login: 'grafana_scheduler', role: 'Admin' },
      { key: 'another secret, as long' },
      { sign: '' },
      { sign: '0'.repeat(64) },
      { at: Date.now() - 301_000 },
      { at: Date.now() + 301_000 },
      { headers: { 'content-type': 'application/json' } },
    ] as const) {
      expect((await notify([alert()], wrong as Asked)).status, JSON.stringify(wrong)).toBe(403);
    }
    expect(writes()).toEqual([]);
  });

  it('has no more rights than its role, stays within limits and its own rate, and every refusal is recorded', async () => {
    on({}, { command: 'Admin' });
    expect((await notify([alert()])).json.outcomes[0]).toMatchObject({ status: 403 });
    on();
    expect((await notify([alert({ labels: { alertname: 'Wild' } })])).json.outcomes[0]).toMatchObject({ status: 422 });
    const many = Array.from({ length: 6 }, (_, i) => alert({ fingerprint: `g${i}` }));
    const statuses = (await notify(many)).json.outcomes.map(({ status }: { status: number }) => status);
    expect(statuses.filter((status: number) => status === 429)).toHaveLength(4);
    const list = await plant.until('commands?state=rejected', ({ json }) => json.commands.length === 6);
    expect(list.json.commands.every((one: { origin: { rule: string } }) => one.origin.rule === 'rule-uid-1')).toBe(true);
    const forbidden = list.json.commands.find(({ refusal }: { refusal: { status: number } }) => refusal.status === 403);
    expect(forbidden).toMatchObject({ point: 'speed', value: 10, reason: 'alert Hot is firing' });
  });
});
