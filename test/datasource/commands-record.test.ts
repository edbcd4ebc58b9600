/** The record of commands: every attempt, who, and a chain that shows what was changed (DESIGN §8). */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { auditCheckAnswer, type commandAnswer } from '../../src/datasource/resources/answers.ts';
import { closePlant, far, openPlant, plant, post, set } from './commands-rig.ts';

beforeEach(openPlant);
afterEach(closePlant);

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
    expect(await ask('device=pump&point=speed&limit=1')).toEqual(['pump.speed']);
    expect(await ask('device=pump&point=pressure&limit=1')).toEqual([]);
    expect(await ask('device=pump&point=speed&state=expired')).toEqual([]);
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
