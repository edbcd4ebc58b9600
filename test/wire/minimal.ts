/** The smallest data source there can be, with every misbehaviour the wire has to withstand; which one is said by the path or the query. */
import type { Caller } from '../../src/contract/caller.ts';
import { Fault } from '../../src/contract/fault.ts';
import type { DataAnswer, Datasource } from '../../src/datasource/questions.ts';

export const lentBytes = 6_000_000;

/** Frames in memory that is somebody else's as soon as it is given back. */
function lent(value: number, done: () => void): DataAnswer {
  const slab = new Uint8Array(new SharedArrayBuffer(lentBytes)).fill(value);
  const pieces = [slab.subarray(0, 10), slab.subarray(10, lentBytes / 2), slab.subarray(lentBytes / 2)];
  const giveBack = () => {
    slab.fill(0xee);
    done();
  };
  return { frames: [pieces], status: 200, done: giveBack };
}

export function minimal(tell: (event: string) => void): Datasource {
  return {
    async queryData(caller, queries, signal) {
      const answers = new Map<string, DataAnswer>();
      for (const { refId, json } of queries) {
        const { kind } = JSON.parse(Buffer.from(json).toString()) as { kind: string };
        if (kind === 'fault') throw new Fault('No such device: boiler', { type: 'not-found', blame: 'caller', status: 404 });
        if (kind === 'bug') throw new TypeError('secret detail of a bug');
        if (kind === 'wait') await cancelled(signal).finally(() => tell('query aborted'));
        if (kind === 'status-0')
          answers.set(refId, { frames: [[], [new Uint8Array()], [Buffer.from('ARROW'), Buffer.from('1')]], status: 0 });
        if (kind.startsWith('lent '))
          answers.set(
            refId,
            lent(Number(kind.slice(5)), () => tell(`${kind} done`)),
          );
        if (kind === 'error')
          answers.set(refId, { frames: [], status: 400, error: `no device for ${caller.user?.login}`, errorSource: 'downstream' });
      }
      return answers;
    },
    async callResource(caller, request, send, signal) {
      const say = (status: number, body: string | Uint8Array) =>
        send({ status, headers: { 'content-type': 'text/plain' }, body: Buffer.from(body) });
      switch (request.path) {
        case 'echo': {
          const { method, url } = request;
          return await say(
            200,
            JSON.stringify({
              method,
              url,
              headers: [...request.headers],
              body: Buffer.from(request.body).toString(),
              caller: plain(caller),
            }),
          );
        }
        case 'fault':
          throw new Fault('points[0] is out of range', {
            type: 'out-of-range',
            blame: 'config',
            status: 422,
            place: 'points[0]',
            extra: { max: 10n },
          });
        case 'bug':
          throw new TypeError('secret detail of a bug');
        case 'code-0':
          return await say(0, 'zero');
        case 'silent':
          return;
        case 'late-bug':
          await say(200, 'half');
          throw new TypeError('secret detail of a bug');
        case 'uncaught':
          setTimeout(() => {
            throw new Error('thrown where nobody catches');
          }, 1);
          void Promise.reject(new Error('rejected where nobody catches'));
          return await say(200, 'thrown');
        case 'print':
          // biome-ignore lint/suspicious/noConsole: what a library might do.
          console.log('{"@message":1,"@level":{}}');
          process.stdout.write('to stdout\n');
          process.stderr.write('{"@message":[1],"@level":"info","@timestamp":7}\n');
          return await say(200, 'printed');
        case 'flood': {
          // Counts what the far end has taken while it does not read.
          for (let part = 0; part < 1_000 && !signal.aborted; part++) {
            await say(200, new Uint8Array(64 * 1024));
            if (part % 10 === 0) tell(`sent ${part}`);
          }
          return;
        }
        default:
          throw new Fault(`nothing at ${request.path}`, { type: 'not-found', blame: 'caller', status: 404 });
      }
    },
    checkHealth(caller) {
      if (caller.instance?.name === 'bug') return Promise.reject(new TypeError('secret detail of a bug'));
      return Promise.resolve({ status: 'ok', message: `healthy \ud800`, details: [] as unknown as Record<string, unknown> });
    },
    collectMetrics: () => Promise.resolve('up 1\n'),
    subscribeStream(_caller, path) {
      if (path === 'fault') return Promise.reject(new Fault('no \ud800', { type: 'not-found', blame: 'caller', status: 404 }));
      return Promise.resolve(path === 'live/1' ? { status: 'ok', initial: Buffer.from('{}') } : { status: 'not-found' });
    },
    publishStream: () => Promise.resolve({ status: 'denied' }),
    async runStream(_caller, path, send, signal) {
      if (path === 'ends') return;
      for (let number = 0; !signal.aborted; number++) {
        await send(Buffer.from(JSON.stringify({ number })));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      tell('stream aborted');
    },
    close() {
      tell('closed');
      return Promise.resolve();
    },
  };
}

function cancelled(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

function plain({ instance, ...caller }: Caller): unknown {
  return { ...caller, ...(instance && { instance: { ...instance, jsonData: Buffer.from(instance.jsonData).toString() } }) };
}
