/**
 * A third broker: mochi-mqtt, in Go and no relative of mosquitto or aedes. It sends topic aliases, keeps to the receive maximum, and says with DISCONNECT
 * that another client took over.
 */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { mqtt } from '../../drivers/mqtt/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { goProgram } from '../far/go.ts';
import { type FarProgram, startProgram } from '../far/python.ts';
import { makeHost, pointOf } from './line.ts';
import { lineTo, listen, never, nudged, open, opened, pointsOf, soon } from './mqtt-session.ts';
import { driverSuite, type FarEnd } from './suite.ts';

let program: string;
beforeAll(async () => {
  program = await goProgram('mochi');
}, 60_000);
const startMochi = (port = 0) => startProgram('mochi', program, [String(port)]);

interface Said {
  payload: string;
  contentType: string;
  user: [string, string][];
  correlation: boolean;
}
const last = async (broker: FarProgram, topic: string) => (await broker.ask({ last: topic })).value as Said | null;
const publish = async (broker: FarProgram, topic: string, payload: string | Buffer, words: Record<string, unknown> = {}) => {
  await broker.ask({ publish: topic, payload: Buffer.from(payload).toString('base64'), ...words });
};

async function farEnd(protocolVersion: 4 | 5): Promise<FarEnd> {
  let broker = await startMochi();
  const { port } = broker;
  return {
    raw: {
      connection: { url: `mqtt://127.0.0.1:${port}`, protocolVersion, username: 'gateway', timeout: '2s' },
      devices: [
        {
          id: 'plant',
          points: [
            { id: 'text', address: { topic: 'plant/text', format: 'text', qos: 2 } },
            { id: 'double', address: { topic: 'plant/double', path: '$.double', qos: 1 } },
            { id: 'boolean', address: { topic: 'plant/+', path: '$.boolean', optional: true } },
            { id: 'broken', address: { topic: 'plant/broken', path: '$.value' } },
            {
              id: 'setpoint',
              address: { topic: 'plant/setpoint', path: '$.setpoint', set: { topic: 'plant/setpoint/set', payload: '{"v": {value}}' } },
              access: 'read-write',
            },
            { id: 'forbidden', address: { set: { topic: 'plant/forbidden/set' } }, access: 'read-write' },
          ],
        },
      ],
    },
    secrets: { password: 'near-secret' },
    values: { text: 'ON °C', double: 0.1, boolean: false },
    set: (id, value) => publish(broker, `plant/${id}`, id === 'text' ? String(value) : `{"${id}":${value}}`),
    failing: { point: 'broken', reason: 'decode', provoke: () => publish(broker, 'plant/broken', Buffer.alloc(100_000, 0xfe)) },
    writable: { point: 'setpoint', values: [55.5, -3] },
    async held(id) {
      const said = await last(broker, `plant/${id}/set`);
      return said ? (JSON.parse(Buffer.from(said.payload, 'base64').toString()) as { v: number }).v : undefined;
    },
    refused: protocolVersion === 5 ? { point: 'forbidden', value: 1 } : { point: 'setpoint', value: Number.NaN },
    kill: () => broker.kill(),
    async restart() {
      broker = await startMochi(port);
    },
    close: () => broker.kill(),
  };
}

describe.each([5, 4] as const)('MQTT %i', (version) => {
  driverSuite(`mqtt ${version} against mochi-mqtt`, mqtt as Driver, () => farEnd(version));
});

const secrets = { password: 'near-secret' };
async function started(points: Record<string, Record<string, unknown>>, connection: Record<string, unknown> = {}) {
  const broker = await startMochi();
  onTestFinished(() => broker.kill());
  return { broker, line: lineTo(`mqtt://127.0.0.1:${broker.port}`, points, { username: 'gateway', ...connection }) };
}

describe('MQTT 5 at mochi-mqtt', () => {
  it('messages without their topic are those of its alias, each topic its own; with no aliases allowed there are none', async () => {
    for (const topicAliasMaximum of [2, 0]) {
      const points = { a: { topic: 'far/away/a' }, b: { topic: 'far/away/b' }, c: { topic: 'far/away/c' } };
      const { broker, line } = await started(points, { topicAliasMaximum });
      const session = await opened(line, makeHost(secrets));
      const ear = listen(session, pointsOf(line));
      await session.ready?.();
      for (let n = 0; n < 30; n++) await publish(broker, `far/away/${'abc'[n % 3]}`, String(n));
      await expect.poll(() => ear.readings.length, soon).toBe(30);
      expect(ear.of('a')).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
      expect(ear.of('b')).toEqual([1, 4, 7, 10, 13, 16, 19, 22, 25, 28]);
      expect(ear.of('c')).toEqual([2, 5, 8, 11, 14, 17, 20, 23, 26, 29]);
      // Two topics have an alias, and each is said in full once.
      expect((await broker.ask({ aliases: true })).value).toBe(topicAliasMaximum === 0 ? 0 : 18);
    }
  });

  it('never has more unconfirmed than its receive maximum', async () => {
    const { broker, line } = await started({ p: { topic: 'p', qos: 1 } }, { receiveMaximum: 3, clean: false, clientId: 'keeper' });
    const commits: (() => void)[] = [];
    const session = await opened(line, makeHost(secrets));
    const ear = listen(session, pointsOf(line), () => new Promise<void>((resolve) => commits.push(resolve)));
    await session.ready?.();
    for (let n = 0; n < 10; n++) await publish(broker, 'p', String(n), { qos: 1 });
    await expect.poll(() => ear.of('p'), soon).toEqual([0, 1, 2]);
    commits[0]?.();
    await expect.poll(() => ear.of('p').length, soon).toBeGreaterThan(3);
    expect(ear.of('p').length - 1).toBeLessThanOrEqual(3);
  });

  it('a command carries its content type, its user properties and where to answer', async () => {
    const set = {
      topic: 's',
      payload: '{"v":{value}}',
      contentType: 'application/json',
      userProperties: { source: 'fieldgate', line: 'Zürich' },
      // To a message with user properties this broker answers PUBACK with code 1, which MQTT 5 (§3.4.2.1) does not know.
      qos: 0,
    };
    const { broker, line } = await started({ s: { set }, asked: { set: { topic: 'asked', response: { timeout: '100ms' } } } });
    const session = await opened(line, makeHost(secrets));
    await session.write?.(pointOf(line, 's'), 1, never());
    await expect
      .poll(() => last(broker, 's'), soon)
      .toMatchObject({
        payload: Buffer.from('{"v":1}').toString('base64'),
        contentType: 'application/json',
        user: [
          ['source', 'fieldgate'],
          ['line', 'Zürich'],
        ],
        correlation: false,
      });
    expect(await session.write?.(pointOf(line, 'asked'), 1, never())).toMatchObject({ state: 'unknown' });
    expect(await last(broker, 'asked')).toMatchObject({ correlation: true });
  });

  it('a subscription that is refused names its topic, and the others are heard', async () => {
    const { broker, line } = await started({ x: { topic: 'secret/x' }, y: { topic: 'home/y' } });
    const session = await opened(line, makeHost(secrets));
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    expect(ear.troubles.get('x')).toMatch(/"secret\/x".*Not authorized/);
    await expect
      .poll(
        nudged(
          () => publish(broker, 'home/y', '1'),
          () => ear.of('y').at(-1),
        ),
        soon,
      )
      .toBe(1);
  });

  it('two clients of one name: the broker says that another took over, and from the second time on so do we', async () => {
    const { line } = await started({ p: { topic: 'p' } }, { clientId: 'twin' });
    const mine = makeHost(secrets);
    const ends: string[] = [];
    for (let n = 0; n < 2; n++) {
      const ear = listen(await opened(line, mine), pointsOf(line));
      const twin = await open(line, makeHost(secrets));
      ends.push(String(await ear.ended));
      await twin.close();
    }
    expect(ends[0]).toMatch(/taken over.*another client uses the same "clientId"/);
    expect(ends[1]).toMatch(/another client uses the "clientId" "twin" too: .*2 times lately/);
  });
});
