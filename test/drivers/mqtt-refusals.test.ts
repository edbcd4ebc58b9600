/** What a real broker refuses, names that are used twice, and the name of a client that was given none. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LinkLost } from '../../src/contract/fault.ts';
import { freePort, type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { makeHost } from './line.ts';
import { lineTo, listen, open, opened, pointsOf } from './mqtt-session.ts';

const run = promisify(execFile);

describe('refusals', () => {
  it('says which topic the broker refuses to tell, and hears the others', async () => {
    const broker = await startGuarded();
    for (const [protocolVersion, words] of [
      [5, /"secret\/x".*Not authorized/],
      [4, /"secret\/x".*no reason given/],
    ] as const) {
      const line = lineTo(
        `mqtt://127.0.0.1:${broker.port}`,
        { x: { topic: 'secret/x' }, y: { topic: 'home/y' } },
        { protocolVersion, username: 'gateway' },
      );
      const session = await opened(line, makeHost({ password: 'near-secret' }));
      const ear = listen(session, pointsOf(line));
      await session.ready?.();
      expect(ear.troubles.get('x')).toMatch(words);
      expect(ear.troubles.has('y')).toBe(true);
      expect(ear.troubles.get('y')).toBeUndefined();
      await ear.stop();
    }
    await broker.close();
  });

  it('says in words why a broker cannot be opened', async () => {
    const broker = await startMosquitto({ users: { gateway: 'right' } });
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const asGateway = (password: string | undefined, protocolVersion: 4 | 5) =>
      open(lineTo(url, {}, { username: 'gateway', protocolVersion }), makeHost(password === undefined ? {} : { password }));
    await expect(asGateway('wrong', 5)).rejects.toThrow(/Not authorized.*rights|Bad User Name or Password.*"password"/);
    await expect(asGateway('wrong', 4)).rejects.toThrow(/Not authorized.*"username" and the secret "password"/);
    await expect(open(lineTo(url, {}), makeHost())).rejects.toThrow(/Not authorized/);
    await expect(open(lineTo(url, {}, { protocolVersion: 4 }), makeHost({ password: 'right' }))).rejects.toThrow(/[Uu]sername is required/);
    await expect(open(lineTo(`mqtt://127.0.0.1:${await freePort()}`, {}))).rejects.toThrow(/nobody listens there/);
    await expect(open(lineTo('mqtt://no-such-host.invalid', {}))).rejects.toThrow(/host name/);
    await expect(open(lineTo(`mqtts://127.0.0.1:${broker.port}`, {}))).rejects.toThrow(/TLS/);
    await expect(open(lineTo(`ws://127.0.0.1:${broker.port}/mqtt`, {}))).rejects.toThrow(/\w+ \w+/);
    await broker.close();
  });

  it('loses the link when another client of the same name comes', async () => {
    const broker = await startMosquitto();
    const line = lineTo(`mqtt://127.0.0.1:${broker.port}`, { p: { topic: 'p' } }, { clientId: 'twin' });
    const host = makeHost();
    const ear = listen(await opened(line, host), pointsOf(line));
    await opened(line);
    expect(await ear.ended).toBeInstanceOf(LinkLost);
    expect(host.losses).toEqual([expect.any(LinkLost)]);
    await broker.close();
  });

  it('names itself once and for all, unless it is given a name', async () => {
    const broker = await startMosquitto();
    const line = lineTo(`mqtt://127.0.0.1:${broker.port}`, {});
    const host = makeHost();
    await (await open(line, host)).close();
    await (await open(line, host)).close();
    await (await open(line, makeHost())).close();
    const log = await readFile(join(broker.folder, 'log'), 'utf8');
    const names = [...log.matchAll(/New client connected from \S+ as (fieldgate-[0-9a-f]{12}) /g)].map((match) => match[1]);
    expect(names).toHaveLength(3);
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
    await broker.close();
  });
});

/** mosquitto with its dynamic security plugin: the ACL file cannot refuse a subscription. */
async function startGuarded(): Promise<Mosquitto> {
  const probe = await startMosquitto();
  const file = join(probe.folder, 'dynamic.json');
  await run('mosquitto_ctrl', ['dynsec', 'init', file, 'gateway', 'near-secret']);
  const rules = JSON.parse(await readFile(file, 'utf8')) as { roles: { acls: unknown[] }[] };
  for (const role of rules.roles) role.acls = [{ acltype: 'subscribePattern', topic: 'home/#', allow: true }];
  await probe.close();
  const library = (await run('find', ['/usr/lib', '-name', 'mosquitto_dynamic_security.so'])).stdout.trim().split('\n')[0];
  return startMosquitto({
    users: {},
    lines: [`plugin ${library}`, 'plugin_opt_config_file {folder}/dynamic.json'],
    files: { 'dynamic.json': JSON.stringify(rules) },
  });
}
