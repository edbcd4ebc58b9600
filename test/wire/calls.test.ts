import { once } from 'node:events';
import { constants } from 'node:http2';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfo, Status } from '../../src/wire/generated/rpc_status.ts';
import { expectBelow } from '../quickest.ts';
import { lentBytes } from './minimal.ts';
import { ask, type Caller, collect, failure, launch, type Message, type Plugin, protocol, until } from './plugin.ts';
import { call, field, framed, grpcStatus, session } from './raw.ts';

let plugin: Plugin;
let data: Caller;
let resource: Caller;
let diagnostics: Caller;
let stream: Caller;

beforeAll(async () => {
  plugin = await launch();
  data = plugin.client(protocol.pluginv2.Data);
  resource = plugin.client(protocol.pluginv2.Resource);
  diagnostics = plugin.client(protocol.pluginv2.Diagnostics);
  stream = plugin.client(protocol.pluginv2.Stream);
});
afterAll(() => plugin.stop());

const context = {
  orgId: 3,
  pluginId: 'fieldgate-iot-datasource',
  user: { login: 'ada', name: 'Ada', email: 'ada@example.org', role: 'Editor' },
  dataSourceInstanceSettings: {
    id: 7,
    uid: 'abc',
    name: 'Plant',
    jsonData: Buffer.from('{"version":1}'),
    decryptedSecureJsonData: { 'broker.password': 'x', __proto__: 'y' },
    lastUpdatedMS: 1_700_000_000_123,
  },
};

const query = (refId: string, kind: string) => ({
  refId,
  json: Buffer.from(JSON.stringify({ kind })),
  timeRange: { fromEpochMS: 1, toEpochMS: 2 },
});
const answers = async (...queries: Message[]) =>
  (await ask(data, 'QueryData', { pluginContext: context, queries })).responses as Record<string, Message>;
const http = (path: string, more: Message = {}) =>
  resource.CallResource?.({ pluginContext: context, path, method: 'GET', url: path, ...more }) as NonNullable<
    ReturnType<NonNullable<Caller[string]>>
  >;
const text = (parts: Message[]) => Buffer.concat(parts.map(({ body }) => body as Buffer)).toString();

/** Too many bytes to be compared one by one. */
const isLent = (answer: Message | undefined, value: number) =>
  Buffer.concat((answer?.frames ?? []) as Buffer[]).equals(Buffer.alloc(lentBytes, value));

/** Whose fault, as Grafana reads it from the trailers. */
function errorSource(error: ServiceError): string | undefined {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const detail = Status.decode(bytes as Buffer).details[0];
  expect(detail?.typeUrl).toBe('type.googleapis.com/google.rpc.ErrorInfo');
  return ErrorInfo.decode(detail?.value ?? Buffer.alloc(0)).metadata.get('errorSource');
}

describe('Data', () => {
  it('never sends status 0 or a frame of no bytes', async () => {
    expect(await answers(query('A', 'status-0'))).toEqual({
      A: { frames: [Buffer.from('ARROW1')], error: '', status: 200, errorSource: '', jsonMeta: Buffer.alloc(0) },
    });
  });

  it('answers a query that fails beside one that does not', async () => {
    const { A, B } = await answers(query('A', 'error'), query('B', 'status-0'));
    expect(A).toMatchObject({ status: 400, error: 'no device for ada', errorSource: 'downstream' });
    expect(B).toMatchObject({ status: 200, error: '' });
  });

  it('tells a failure of the whole call in each query, with whose fault it is', async () => {
    const { A, B } = await answers(query('A', 'fault'), query('B', 'fault'));
    expect(A).toMatchObject({ status: 404, error: 'No such device: boiler', errorSource: 'downstream' });
    expect(B).toEqual(A);
  });

  it('keeps a bug to the log', async () => {
    const { A } = await answers(query('A', 'bug'));
    expect(A).toMatchObject({ status: 500, errorSource: 'plugin', error: expect.not.stringContaining('secret') });
    await until(() => plugin.log().some((line) => String(line.stack).includes('secret detail of a bug')));
  });

  it('answers a query that was forgotten', async () => {
    expect((await answers(query('A', 'nothing'))).A).toMatchObject({ status: 500, error: 'The query was not answered.' });
  });

  it('stops the work of a cancelled call', async () => {
    const call = data.QueryData?.({ pluginContext: context, queries: [query('A', 'wait')] }, () => undefined);
    await new Promise((next) => setTimeout(next, 100));
    call?.cancel();
    await until(() => plugin.log().some((line) => line['@message'] === 'query aborted'));
  });

  it('sends what is lent as it was, and gives it back when it is written', async () => {
    const values = Array.from({ length: 20 }, (_, index) => index + 1);
    const told = (value: number) => plugin.log().filter((line) => line['@message'] === `lent ${value} done`).length;
    await Promise.all(
      values.map(async (value) => {
        const { A, B } = await answers(query('A', `lent ${value}`), query('B', 'status-0'));
        expect(isLent(A, value)).toBe(true);
        expect(B?.frames).toEqual([Buffer.from('ARROW1')]);
      }),
    );
    await until(() => values.every((value) => told(value) === 1));
  });

  it('sends to others what is theirs while calls are given up in the midst of their answers', async () => {
    const given = Array.from({ length: 10 }, () => {
      const call = data.QueryData?.({ pluginContext: context, queries: [query('A', 'lent 100')] }, () => undefined);
      call?.on('metadata', () => call.cancel());
      return call && once(call, 'status');
    });
    const { A } = await answers(query('A', 'lent 101'));
    expect(isLent(A, 101)).toBe(true);
    await Promise.all(given);
  });

  it('leaves chunked queries out, which hosts take for an answer', async () => {
    const chunked = data.QueryChunkedData?.({ queries: [] }) as AsyncIterable<Message>;
    expect((await failure(collect(chunked))).code).toBe(status.UNIMPLEMENTED);
  });
});

describe('Resource', () => {
  it('hands over the request and who asks', async () => {
    const parts = await collect(
      http('/echo', {
        method: 'post',
        url: 'echo?a=1%2F2',
        headers: { 'X-Grafana-Id': { values: ['1', '2'] }, __proto__: { values: ['3'] } },
        body: Buffer.from('ü'),
      }),
    );
    expect(parts[0]).toMatchObject({ code: 200, headers: { 'content-type': { values: ['text/plain'] } } });
    expect(JSON.parse(text(parts))).toEqual({
      method: 'POST',
      url: 'echo?a=1%2F2',
      headers: expect.arrayContaining([['x-grafana-id', ['1', '2']]]),
      body: 'ü',
      caller: {
        orgId: 3,
        pluginId: 'fieldgate-iot-datasource',
        user: { login: 'ada', name: 'Ada', email: 'ada@example.org', role: 'Editor' },
        instance: {
          id: 7,
          uid: 'abc',
          name: 'Plant',
          jsonData: '{"version":1}',
          secureJsonData: { 'broker.password': 'x' },
          lastUpdatedMs: 1_700_000_000_123,
        },
      },
    });
  });

  it('knows no user and no data source where Grafana sends none, and gives an unknown role no rights', async () => {
    const bare = JSON.parse(text(await collect(http('echo', { pluginContext: { orgId: 1, user: { login: 'x', role: 'Superadmin' } } }))));
    expect(bare.caller).toEqual({ orgId: 1, pluginId: '', user: { login: 'x', name: '', email: '', role: 'None' } });
    const nobody = JSON.parse(text(await collect(http('echo', { pluginContext: { orgId: 1, pluginId: 'p' } }))));
    expect(nobody.caller).toEqual({ orgId: 1, pluginId: 'p' });
  });

  it('makes a problem document of a fault', async () => {
    const parts = await collect(http('fault'));
    expect(parts[0]).toMatchObject({ code: 422, headers: { 'content-type': { values: ['application/problem+json'] } } });
    expect(JSON.parse(text(parts))).toEqual({
      type: 'urn:fieldgate:problem:out-of-range',
      title: 'Out of range',
      detail: 'points[0] is out of range',
      status: 422,
      place: 'points[0]',
      max: '10',
    });
  });

  it.each([
    ['a bug', 'bug', 500],
    ['no answer at all', 'silent', 500],
    ['code 0, which makes Grafana panic', 'code-0', 500],
  ])('turns %s into an answer without its inside', async (_what, path, code) => {
    const parts = await collect(http(path));
    expect(parts[0]).toMatchObject({ code });
    expect(text(parts)).not.toContain('secret');
  });

  it('breaks the stream when a body cannot be finished, so that nobody takes half for the whole', async () => {
    const parts: Message[] = [];
    const call = http('late-bug');
    call.on('data', (part) => parts.push(part));
    const error = await new Promise<ServiceError>((done) => call.on('error', done));
    expect(error.code).toBe(status.INTERNAL);
    expect(error.details).not.toContain('secret');
    expect(errorSource(error)).toBe('plugin');
    expect(text(parts)).toBe('half');
  });

  it('sends no faster than the far end takes', async () => {
    const sent = () => plugin.log().filter((line) => /^sent /.test(String(line['@message']))).length;
    const far = session(plugin);
    const stream = call(far, '/pluginv2.Resource/CallResource', framed(field(2, 'flood')));
    stream.pause();
    await new Promise((next) => setTimeout(next, 300));
    // Ten parts of 64 KiB between two marks; a stream's window takes the first part and no more.
    expect(sent()).toBe(0);
    stream.resume();
    await until(() => sent() > 50, 10_000);
    far.destroy();
  });
});

it('thousands of questions that are given up cost nobody the connection', async () => {
  const far = session(plugin);
  let ended: string | undefined;
  far.on('goaway', (code) => (ended ??= `sent away with ${code}`)).on('close', () => (ended ??= 'closed'));
  await once(far, 'connect');
  for (let i = 0; i < 5_000 && ended === undefined; i++) {
    call(far, '/pluginv2.Resource/CallResource', framed(field(2, 'silent'))).close(constants.NGHTTP2_CANCEL);
    if (i % 50 === 0) await new Promise((answered) => far.ping(answered));
  }
  expect(ended).toBeUndefined();
  expect(await grpcStatus(call(far, '/grpc.health.v1.Health/Check', framed(field(1, 'plugin'))))).toBe(0);
  far.destroy();
});

describe('Diagnostics', () => {
  it('always has a JSON object for details', async () => {
    const answer = await ask(diagnostics, 'CheckHealth', { pluginContext: context });
    expect(answer).toMatchObject({ status: 'OK', message: 'healthy \ufffd' });
    expect(JSON.parse(String(answer.jsonDetails))).toEqual({});
  });

  it('answers with an error in words when health itself fails', async () => {
    const answer = await ask(diagnostics, 'CheckHealth', { pluginContext: { dataSourceInstanceSettings: { name: 'bug' } } });
    expect(answer).toMatchObject({ status: 'ERROR', message: expect.stringContaining('inside Fieldgate') });
    expect(answer.message).not.toContain('secret');
  });

  it('gives metrics as Prometheus text', async () => {
    const answer = await ask(diagnostics, 'CollectMetrics', { pluginContext: { pluginId: 'p' } });
    expect(String((answer.metrics as Message).prometheus)).toBe('up 1\n');
  });
});

describe('Stream', () => {
  it('answers subscribers and denies publishers', async () => {
    expect(await ask(stream, 'SubscribeStream', { path: 'live/1' })).toEqual({ status: 'OK', data: Buffer.from('{}') });
    expect(await ask(stream, 'SubscribeStream', { path: 'live/2' })).toEqual({ status: 'NOT_FOUND', data: Buffer.alloc(0) });
    expect(await ask(stream, 'PublishStream', { path: 'live/1', data: Buffer.from('{}') })).toMatchObject({ status: 'PERMISSION_DENIED' });
  });

  it('says with an error whose fault it is', async () => {
    const error = await failure(ask(stream, 'SubscribeStream', { path: 'fault' }));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'no \ufffd' });
    expect(errorSource(error)).toBe('downstream');
  });

  it('ends within 100 ms of a cancel', async () => {
    const aborted = () => plugin.log().filter((line) => line['@message'] === 'stream aborted').length;
    await expectBelow(100, async () => {
      const call = stream.RunStream?.({ path: 'live/1' }) as NonNullable<ReturnType<NonNullable<Caller[string]>>>;
      call.on('error', () => undefined);
      const packets: unknown[] = [];
      call.on('data', (packet: { data: Buffer }) => packets.push(JSON.parse(String(packet.data))));
      await until(() => packets.length >= 3);
      expect(packets.slice(0, 3)).toEqual([{ number: 0 }, { number: 1 }, { number: 2 }]);
      const before = aborted();
      call.cancel();
      return until(() => aborted() > before);
    });
  });

  it('never ends well, or Grafana would not open it again', async () => {
    const error = await failure(collect(stream.RunStream?.({ path: 'ends' }) as AsyncIterable<Message>));
    expect(error.code).toBe(status.UNAVAILABLE);
  });
});
