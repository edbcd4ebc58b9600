/** Commands as Grafana's users meet them: lists, locks, cancellation, interlocks, confirmations (DESIGN §8). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandAnswer, deviceAnswer } from '../../src/datasource/resources/answers.ts';
import { closePlant, far, openPlant, plant, post, second, set, settings, writes } from './commands-rig.ts';
import type { Asked } from './plant.ts';

beforeEach(openPlant);
afterEach(closePlant);

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
