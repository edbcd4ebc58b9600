/** Commands as Grafana's users meet them: lists, locks, cancellation, rights by rule, alerts, the record (DESIGN §8). */
import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drivers } from '../../drivers/index.ts';
import { accessAnswer, auditCheckAnswer, commandAnswer, deviceAnswer } from '../../src/datasource/resources/answers.ts';
import { lineDriver } from '../gateway/line-driver.ts';
import { type PlantServer, plantServer } from '../gateway/plant-server.ts';
import { type Asked, type Plant, startPlant } from './plant.ts';

let far: PlantServer;
let second: PlantServer;
let plant: Plant;

const writes = (server = far) => server.requests.filter(({ text }) => text.startsWith('W')).map(({ text }) => text);
const post = (path: string, body: unknown, asked: Asked = {}) => plant.ask(path, { method: 'POST', body, role: 'Editor', ...asked });
const set = (place: string, value: unknown, asked: Asked = {}) => post(`devices/${place.replace('.', '/points/')}`, { value }, asked);

beforeEach(async () => {
  [far, second] = await Promise.all([plantServer(), plantServer()]);
  far.units.set('3', { registers: new Map(Object.entries({ speed: '20', pressure: '1', mode: '0' })) });
  second.units.set('3', { registers: new Map([['speed', '20']]) });
  plant = await startPlant(settings(), { drivers: [...drivers, { ...lineDriver(), action: z.looseObject({}) }] });
  for (const device of ['pump', 'fan'])
    await plant.until(`devices/${device}/points/speed`, (answer) => answer.json.last?.quality === 'good');
});
afterEach(async () => {
  await plant?.close();
  await Promise.all([far?.stop(), second?.stop()]);
});

function settings({ rights = {}, write = {} }: { rights?: object; write?: object } = {}) {
  const at = (register: string) => ({ register, shape: { type: 'float64' } });
  const line = (id: string, { port }: PlantServer) => ({ id, kind: 'line', port, timeoutMs: 2_000, inFlight: 1 });
  const device = (id: string, connection: string) => ({
    ...{ id, connection, address: { unit: '3' }, interval: '50ms', labels: { site: connection } },
    points: [
      { id: 'speed', address: at('speed'), access: 'read-write', write: { max: 90, ...write } },
      ...(id === 'pump'
        ? [
            { id: 'pressure', address: at('pressure') },
            { id: 'mode', address: at('mode'), access: 'read-write' },
          ]
        : []),
    ],
    commands: [{ id: 'stop' }, { id: 'erase', confirm: true }],
  });
  return { connections: [line('north', far), line('south', second)], devices: [device('pump', 'north'), device('fan', 'south')], rights };
}

describe('several at once', () => {
  it('go in the order of the list on each bus, and each has its outcome', async () => {
    const commands = [
      { device: 'pump', point: 'speed', value: 31 },
      { device: 'fan', point: 'speed', value: 41 },
      { device: 'pump', command: 'stop', parameters: { hard: true } },
      { device: 'pump', point: 'mode', value: 2 },
      { device: 'pump', point: 'speed', value: 32, reason: 'own' },
    ];
    const answer = await post('commands', { commands, reason: 'a scene' });
    expect(answer.status).toBe(200);
    expect(answer.json.outcomes.map(({ status, state }: { status: number; state: string }) => [status, state])).toEqual([
      [200, expect.stringMatching(/verified|acknowledged/)],
      [200, 'verified'],
      [200, 'acknowledged'],
      [200, 'verified'],
      [200, 'verified'],
    ]);
    for (const outcome of answer.json.outcomes) commandAnswer.parse(outcome);
    expect(answer.json.outcomes.map(({ reason }: { reason: string }) => reason)).toEqual([
      'a scene',
      'a scene',
      'a scene',
      'a scene',
      'own',
    ]);
    expect(writes()).toEqual(['W 3 speed 31', 'W 3 stop {"hard":true}', 'W 3 mode 2', 'W 3 speed 32']);
    expect(writes(second)).toEqual(['W 3 speed 41']);
  });

  it('are not sent at all if one is refused, and it is said which', async () => {
    const ok = { device: 'pump', point: 'speed', value: 31 };
    for (const [bad, status] of [
      [{ device: 'fan', point: 'speed', value: 95 }, 422],
      [{ device: 'fan', point: 'nothing', value: 1 }, 404],
      [{ device: 'fan', command: 'erase' }, 422],
    ] as const) {
      const answer = await post('commands', { commands: [ok, bad] });
      expect(answer.status).toBe(status);
      expect(answer.json.outcomes).toMatchObject([{ status: 409, type: expect.stringContaining('not-sent') }, { status }]);
    }
    expect((await post('commands', { commands: [] })).status).toBe(400);
    expect((await post('commands', { commands: Array.from({ length: 101 }, () => ok) })).status).toBe(400);
    expect((await post('commands', { commands: [{ ...ok, command: 'stop' }] })).status).toBe(400);
    expect([...writes(), ...writes(second)]).toEqual([]);
  });

  it('are the same when they are sent again with the same key, and do not wait for each other crosswise', async () => {
    const list = (first: string, last: string) => ({
      commands: [first, last].map((point) => ({ device: 'pump', point, value: point === 'speed' ? 33 : 3 })),
    });
    const headers = { 'idempotency-key': 'scene-1' };
    const [one, two] = await Promise.all([post('commands', list('speed', 'mode'), { headers }), post('commands', list('mode', 'speed'))]);
    expect([one.status, two.status]).toEqual([200, 200]);
    const again = await post('commands', list('speed', 'mode'), { headers });
    const ids = (answer: typeof one) => answer.json.outcomes.map(({ id }: { id: string }) => id);
    expect(ids(again)).toEqual(ids(one));
    expect(writes()).toHaveLength(4);
  });
});

describe('a command that waits', () => {
  it('has a position, and is cancelled by its author or an Admin, by nobody else', async () => {
    const unit = far.units.get('3');
    if (unit) unit.delayMs = 400;
    const first = set('pump.speed', 31);
    const waiting = ['ada', 'ada', 'bob'].map((login, i) => set('pump.mode', i, { login }));
    const list = await plant.until(
      'commands',
      ({ json }) => json.commands.filter((one: { state: string }) => one.state === 'queued').length >= 3,
    );
    const queued = list.json.commands.filter(({ point }: { point: string }) => point === 'mode').reverse();
    const positions = queued.map(({ position }: { position: number }) => position);
    expect(positions).toEqual(positions.toSorted((a: number, b: number) => a - b));
    expect(new Set(positions).size).toBe(3);
    const cancel = (place: number, asked: Asked) => plant.ask(`commands/${queued[place].id}`, { method: 'DELETE', ...asked });
    expect((await cancel(0, { role: 'Editor', login: 'eve' })).status).toBe(403);
    expect((await cancel(0, { role: 'Viewer' })).status).toBe(403);
    const gone = await cancel(0, { role: 'Editor' });
    expect(gone).toMatchObject({ status: 200, json: { state: 'rejected', cancelledBy: { login: 'ada' } } });
    expect((await cancel(2, { role: 'Admin', login: 'grace' })).json.cancelledBy.login).toBe('grace');
    if (unit) unit.delayMs = 0;
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([409, 200, 409]);
    expect((await first).status).toBe(200);
    expect((await cancel(1, { role: 'Editor' })).status).toBe(409);
    expect((await cancel(0, { role: 'Editor' })).status).toBe(409);
    expect(writes()).toEqual(['W 3 speed 31', 'W 3 mode 1']);
  });
});

describe('a lock', () => {
  it('is shown with the device, in health and in what may be done, and who set it only to Editors', async () => {
    const locked = await post('devices/pump/lock', { reason: 'bearing is out', for: '2h' });
    expect(locked).toMatchObject({ status: 200, json: { device: 'pump', lock: { reason: 'bearing is out', by: { login: 'ada' } } } });
    expect(await set('pump.speed', 30)).toMatchObject({ status: 423, json: { detail: expect.stringContaining('bearing is out') } });
    const shown = async (role: 'Viewer' | 'Editor') => deviceAnswer.parse((await plant.ask('devices/pump', { role })).json).lock;
    expect(await shown('Editor')).toMatchObject({ by: { login: 'ada' } });
    expect(await shown('Viewer')).toEqual({ reason: 'bearing is out', since: expect.any(Number), until: expect.any(Number) });
    expect((await plant.health()).message).toContain('1 device locked for maintenance: pump (bearing is out, by Ada)');
    const access = await plant.ask('access/me?device=pump&point=speed', { role: 'Viewer' });
    expect(access.json.targets[0]).toMatchObject({ may: false, obstacles: [{ type: 'locked', until: expect.any(Number) }] });
    expect((await post('devices/pump/lock', { reason: ' ' })).status).toBe(400);
    expect((await plant.ask('devices/pump/lock', { method: 'DELETE', role: 'Editor', login: 'bob' })).status).toBe(403);
    expect((await plant.ask('devices/pump/lock', { method: 'DELETE', role: 'Editor' })).status).toBe(200);
    expect((await set('pump.speed', 30)).status).toBe(200);
  });
});

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
  });
});

describe('an interlock', () => {
  it('that names a point there is not is told in health and blocks', async () => {
    plant.save(settings({ write: { interlock: { all: ['pump.pressure < 2', 'presure < 3'] } } }));
    const { message } = await plant.health();
    expect(message).toContain('devices[0].points[0].write.interlock names pump.presure, and there is no such point');
    expect(await set('pump.speed', 30)).toMatchObject({ status: 409, json: { type: expect.stringContaining('interlocked') } });
    plant.save(settings({ write: { interlock: 'pump.pressure < 2' } }));
    expect((await set('fan.speed', 30)).status).toBe(200);
    far.set('3', 'pressure', '2.5');
    expect((await set('fan.speed', 31)).status).toBe(409);
    plant.save(settings({ write: { interlock: 'pump.pressure between 1 and 2' } }));
    expect((await plant.health()).message).toContain('such as "boiler.pressure < 2"');
  });
});

describe('a confirmation', () => {
  it('is 428 with a nonce, and the same request with it goes', async () => {
    plant.save(settings({ write: { confirm: true } }));
    const asked = await set('pump.speed', 30);
    expect(asked).toMatchObject({ status: 428, json: { reading: 20, value: 30, nonce: expect.any(String), expires: expect.any(Number) } });
    expect((await plant.ask('devices/pump')).json.points[0].write).toMatchObject({ confirm: true });
    const confirm = asked.json.nonce;
    expect((await post('devices/pump/points/speed', { value: 30, confirm }, { login: 'bob' })).status).toBe(428);
    expect((await post('devices/pump/points/speed', { value: 30, confirm })).status).toBe(200);
    expect((await post('devices/pump/commands/erase', {})).status).toBe(428);
    expect(writes()).toEqual(['W 3 speed 30']);
  });
});

describe('the record', () => {
  it('has every attempt, allowed or not, and says who', async () => {
    await set('pump.speed', 95);
    await set('pump.speed', 30, { role: 'Viewer', login: 'eve' });
    await set('pump.speed', 30, { role: 'Admin', login: 'grafana_scheduler' });
    await set('pump.speed', 31);
    const { json } = await plant.until('commands', (answer) => answer.json.commands.length === 4);
    expect(json.commands.map(({ state, refusal, user }: z.output<typeof commandAnswer>) => [state, refusal?.status, user.login])).toEqual([
      ['verified', undefined, 'ada'],
      ['rejected', 403, 'grafana_scheduler'],
      ['rejected', 403, 'eve'],
      ['rejected', 422, 'ada'],
    ]);
    const metrics = await plant.datasource.collectMetrics();
    expect(metrics.toString()).toContain('fieldgate_commands_refused_total{type="forbidden"} 2');
  });

  it('does not let anybody fill it', async () => {
    for (let i = 0; i < 80; i++) await set('pump.speed', 95);
    const { json } = await plant.until('commands?limit=1000', (answer) => answer.json.commands.length === 60);
    expect(json.commands).toHaveLength(60);
  });

  it('is listed by device, point, state and time, and goes out as CSV and NDJSON', async () => {
    await set('pump.speed', 31);
    await set('fan.speed', 41, {});
    await post('devices/pump/commands/stop', { reason: '=1+1' });
    const ask = async (query: string) =>
      (await plant.ask(`commands?${query}`)).json.commands.map(
        ({ device, point }: { device: string; point: string }) => `${device}.${point}`,
      );
    expect(await ask('')).toEqual(['pump.stop', 'fan.speed', 'pump.speed']);
    expect(await ask('device=pump')).toEqual(['pump.stop', 'pump.speed']);
    expect(await ask('point=sp*&limit=1')).toEqual(['fan.speed']);
    expect(await ask('state=acknowledged')).toEqual(['pump.stop']);
    expect(await ask('label=site:south')).toEqual(['fan.speed']);
    expect(await ask('from=0&to=1000')).toEqual([]);
    const csv = (await plant.ask('commands?format=csv')).text.split('\r\n');
    expect(csv[0]).toBe('time,ended,device,point,kind,value,state,readBack,user,role,reason,detail,rule,id');
    expect(csv[1]).toMatch(/^\S+Z,\S+Z,pump,stop,act,,acknowledged,,ada,Editor,"'=1\+1"/);
    expect(csv).toHaveLength(5);
    const lines = (await plant.ask('commands?format=ndjson&device=fan')).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ device: 'fan', value: 41, readBack: 41, state: 'verified' }]);
    expect((await plant.ask('commands?format=xls')).status).toBe(400);
  });

  it('is a chain that anybody can check', async () => {
    await set('pump.speed', 31);
    await set('pump.speed', 95);
    await plant.until('commands', (answer) => answer.json.commands.length === 2);
    const text = (await plant.ask('audit')).text;
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    let prev = '0'.repeat(64);
    for (const [i, line] of lines.entries()) {
      expect(line).toMatchObject({ seq: i + 1, prev });
      expect(createHash('sha256').update(`${prev}\n${line.seq}\n${line.time}\n${line.json}`).digest('hex')).toBe(line.hash);
      prev = line.hash;
    }
    const states = lines.map((line) => JSON.parse(line.json).state);
    expect(states).toEqual(['queued', 'sent', 'acknowledged', 'verified', 'rejected']);
    const check = auditCheckAnswer.parse((await plant.ask('audit/check')).json);
    expect(check).toEqual({ intact: true, lines: 5, first: 1, head: { seq: 5, hash: prev } });
    expect((await plant.ask('audit?after=4')).text.trim().split('\n')).toHaveLength(1);
  });

  it('tells health of a command that did not do what it should, until one does', async () => {
    const unit = far.units.get('3');
    if (unit) unit.refusesWrites = true;
    expect((await set('pump.speed', 31)).status).toBe(502);
    expect((await plant.health()).message).toContain(
      '1 point or command whose last command did not end well: pump.speed (failed: exception 4)',
    );
    expect((await plant.health()).status).toBe('ok');
    if (unit) unit.refusesWrites = false;
    expect((await set('pump.speed', 31)).status).toBe(200);
    expect((await plant.health()).message).not.toContain('did not end well');
  });
});
