import { existsSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/contract/log.ts';
import { openDoor } from '../../src/wire/door.ts';
import { ask, hostEnv, launch, protocol, stopAll, until } from './plugin.ts';

afterEach(stopAll);

describe('handshake', () => {
  it('says on one line where it listens: a socket in a folder of its own that nobody else can enter', async () => {
    const plugin = await launch();
    expect(plugin.stdout()).toMatch(/^1\|2\|unix\|\/[^|]+\|grpc\|\n$/);
    const folder = dirname(plugin.fields[3] ?? '');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await ask(plugin.client(protocol.grpc.health.v1.Health), 'Check', { service: 'plugin' })).toEqual({ status: 'SERVING' });
    plugin.process.kill('SIGTERM');
    expect((await plugin.exited).code).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  it('puts the socket where the host says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'given-'));
    const plugin = await launch(undefined, { ...hostEnv, PLUGIN_UNIX_SOCKET_DIR: folder });
    expect(plugin.fields[3]).toMatch(new RegExp(`^${folder}/`));
  });

  it.each([
    ['does not exist', '/nowhere/at/all'],
    ['is too deep for a socket', join(tmpdir(), 'd'.repeat(100))],
  ])('finds another place if the folder of the host %s, and says so', async (_what, folder) => {
    if (folder.startsWith(tmpdir())) mkdirSync(folder, { recursive: true });
    const plugin = await launch(undefined, { ...hostEnv, TMPDIR: tmpdir(), PLUGIN_UNIX_SOCKET_DIR: folder });
    expect(plugin.fields[3]).toMatch(new RegExp(`^${tmpdir()}/fieldgate-`));
    await until(() => plugin.log().some((entry) => entry['@level'] === 'warn' && entry.folder === folder));
  });

  it('refuses in words where it could not even make a folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'full-'));
    const plugin = await launch(undefined, { ...hostEnv, TMPDIR: join(folder, 'missing') });
    expect((await plugin.exited).code).toBe(1);
    expect(plugin.stdout()).toBe('');
    expect(plugin.stderr()).toContain('No Unix socket could be opened');
  });

  it.each([
    ['the cookie is missing', { grafana_plugin_type: '' }],
    ['the cookie is that of another kind', { grafana_plugin_type: 'panel' }],
  ])('tells a person who starts it by hand what it is: %s', async (_why, change) => {
    const plugin = await launch(undefined, { ...hostEnv, ...change });
    expect((await plugin.exited).code).toBe(1);
    expect(plugin.stdout()).toBe('');
    expect(plugin.stderr()).toMatch(/^This is Fieldgate[^\n]*Grafana starts it by itself[^\n]*npm start[^\n]*\n$/);
  });

  it.each([
    ['speaks other versions only', { PLUGIN_PROTOCOL_VERSIONS: '1,3' }, /speaks plugin protocol "1,3"; this plugin speaks 2/],
    ['wants TLS', { PLUGIN_CLIENT_CERT: '-----BEGIN CERTIFICATE-----' }, /mutual TLS \(PLUGIN_CLIENT_CERT is set\)/],
  ])('refuses a host that %s with one error in its log', async (_why, change, sentence) => {
    const plugin = await launch(undefined, { ...hostEnv, ...change } as Record<string, string>);
    expect((await plugin.exited).code).toBe(1);
    expect(plugin.stdout()).toBe('');
    expect(plugin.log()).toEqual([expect.objectContaining({ '@level': 'error', '@message': expect.stringMatching(sentence) })]);
  });

  it.each([
    ['version 2 is among those offered', { PLUGIN_PROTOCOL_VERSIONS: '1,2' }, 'grpc|'],
    ['the host names no versions', { PLUGIN_PROTOCOL_VERSIONS: undefined }, 'grpc|'],
    ['the host could multiplex: it is told that we do not', { PLUGIN_MULTIPLEX_GRPC: 'true' }, 'grpc||false'],
  ])('serves if %s', async (_why, change, end) => {
    const env = Object.fromEntries(Object.entries({ ...hostEnv, ...change }).filter(([, value]) => value !== undefined));
    expect((await launch(undefined, env as Record<string, string>)).stdout().trimEnd()).toMatch(
      new RegExp(`${end.replaceAll('|', '\\|')}$`),
    );
  });
});

describe('the door of Windows', () => {
  it('is a port of the loopback within the range, the first that is free', async () => {
    const taken = createServer();
    const port = await new Promise<number>((done) => taken.listen(0, '127.0.0.1', () => done((taken.address() as { port: number }).port)));
    const server = new Server();
    const door = await openDoor(server, { PLUGIN_MIN_PORT: String(port), PLUGIN_MAX_PORT: String(port + 50) }, 'win32', silentLog);
    expect(door.network).toBe('tcp');
    const chosen = Number(/^127\.0\.0\.1:(\d+)$/.exec(door.address)?.[1]);
    expect(chosen).toBeGreaterThan(port);
    expect(chosen).toBeLessThanOrEqual(port + 50);
    await expect(
      openDoor(new Server(), { PLUGIN_MIN_PORT: String(port), PLUGIN_MAX_PORT: String(port) }, 'win32', silentLog),
    ).rejects.toThrow(/No free port/);
    await expect(openDoor(new Server(), { PLUGIN_MIN_PORT: 'many' }, 'win32', silentLog)).rejects.toThrow(/"many" is not a port/);
    server.forceShutdown();
    taken.close();
  });
});
