import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { ask, collect, failure, launch, type Message, type Plugin, protocol, stopAll, until } from './plugin.ts';
import { call, field, framed, grpcStatus, session, socket } from './raw.ts';

let plugin: Plugin;
beforeAll(async () => {
  plugin = await launch();
});
afterAll(stopAll);

/** The process is the same one and answers. */
async function expectAlive(): Promise<void> {
  expect(plugin.process.exitCode).toBeNull();
  expect(await ask(plugin.client(protocol.grpc.health.v1.Health), 'Check', { service: 'plugin' })).toEqual({ status: 'SERVING' });
}

describe('the wire withstands', () => {
  it.each([
    ['junk', () => randomBytes(100_000)],
    ['HTTP/1', () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a preface and junk', () => Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), randomBytes(10_000)])],
    ['nothing at all', () => Buffer.alloc(0)],
  ])('%s on its socket', async (_what, bytes) => {
    const over = socket(plugin);
    over.end(bytes());
    await new Promise((next) => setTimeout(next, 50));
    over.destroy();
    await expectAlive();
  });

  it('random bytes as a message of any method', async () => {
    const over = session(plugin);
    const paths = [
      'Data/QueryData',
      'Resource/CallResource',
      'Diagnostics/CheckHealth',
      'Diagnostics/CollectMetrics',
      'Stream/SubscribeStream',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.uint8Array({ maxLength: 200 }), async (path, bytes) => {
        expect(await grpcStatus(call(over, `/pluginv2.${path}`, framed(bytes)))).toBeTypeOf('number');
      }),
      { numRuns: 300 },
    );
    over.destroy();
    await expectAlive();
  });

  it.each([
    ['a message said to be 4 GiB', Buffer.from([0, 255, 255, 255, 255, 1, 2, 3]), {}, status.RESOURCE_EXHAUSTED],
    ['a compressed message that is not', framed(randomBytes(1_000), true), { 'grpc-encoding': 'gzip' }, status.INTERNAL],
    [
      'a compressed message that grows without end',
      framed(gzipSync(Buffer.alloc(limits.requestBytesMax + 1_000)), true),
      { 'grpc-encoding': 'gzip' },
      status.RESOURCE_EXHAUSTED,
    ],
    ['an unknown compression', framed(Buffer.alloc(10), true), { 'grpc-encoding': 'snappy' }, status.UNIMPLEMENTED],
    ['a time-out that is not one', framed(field(2, 'echo')), { 'grpc-timeout': 'soon' }, status.INTERNAL],
  ])('%s', async (_what, body, headers, expected) => {
    const over = session(plugin);
    expect(await grpcStatus(call(over, '/pluginv2.Resource/CallResource', body, headers as Record<string, string>))).toBe(expected);
    over.destroy();
    await expectAlive();
  });

  it('a method nobody has, a body that is no JSON and a call cut in the middle', async () => {
    const over = session(plugin);
    expect(await grpcStatus(call(over, '/pluginv2.Data/DropTables', framed(Buffer.alloc(0))))).toBe(status.UNIMPLEMENTED);
    const cut = over.request({ ':method': 'POST', ':path': '/pluginv2.Data/QueryData', 'content-type': 'application/grpc' });
    cut.on('error', () => undefined);
    cut.write(Buffer.from([0, 0, 0, 1, 0]));
    over.destroy();
    const answer = await ask(plugin.client(protocol.pluginv2.Data), 'QueryData', {
      queries: [{ refId: '__proto__', json: Buffer.from('{') }],
    });
    expect(Object.entries(answer.responses as object)).toEqual([['__proto__', expect.objectContaining({ status: 500 })]]);
    await expectAlive();
  });

  it('takes 16 MiB and says no to more', async () => {
    const data = plugin.client(protocol.pluginv2.Data);
    const query = (bytes: number) => ({ queries: [{ refId: 'A', json: Buffer.from(`{"kind":"status-0","pad":"${'x'.repeat(bytes)}"}`) }] });
    expect(await ask(data, 'QueryData', query(limits.requestBytesMax - 1_000))).toMatchObject({ responses: { A: { status: 200 } } });
    expect((await failure(ask(data, 'QueryData', query(limits.requestBytesMax)))).code).toBe(status.RESOURCE_EXHAUSTED);
    await expectAlive();
  });

  it('an error that nobody catches, but not one after the other: then the host gets a fresh process', async () => {
    const resource = plugin.client(protocol.pluginv2.Resource);
    const throwTwo = () =>
      collect(resource.CallResource?.({ path: 'uncaught', method: 'GET' }) as AsyncIterable<Message>).catch(() => undefined);
    await throwTwo();
    await until(() => plugin.log().filter((entry) => entry['@message'] === 'an error that nobody caught').length === 2);
    await expectAlive();
    for (let round = 0; round < limits.uncaughtPerMinuteMax / 2; round++) await throwTwo();
    const { code } = await plugin.exited;
    expect(code).toBe(0);
    expect(plugin.log()).toContainEqual(
      expect.objectContaining({ '@message': 'ending', reason: expect.stringContaining('nobody caught') }),
    );
  });
});
