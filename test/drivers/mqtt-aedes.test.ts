/** A second broker: aedes, which speaks MQTT 3.1.1 and is no relative of mosquitto. */
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { mqtt } from '../../drivers/mqtt/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import type { Value } from '../../src/contract/sample.ts';
import { driverSuite, type FarEnd } from './suite.ts';

async function farEnd(): Promise<FarEnd> {
  const sockets = new Set<Socket>();
  const heard = new Map<string, string>();
  let port = 0;
  let broker: Aedes;
  let server: Server;

  async function start(): Promise<void> {
    broker = new Aedes({
      authenticate: (_client, user, password, done) => done(null, user === 'gateway' && password?.toString() === 'near-secret'),
    });
    await broker.listen();
    broker.on('publish', (packet, client) => {
      if (client) heard.set(packet.topic, packet.payload.toString());
    });
    server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
      broker.handle(socket);
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address ? address.port : port;
  }

  async function end(): Promise<void> {
    for (const socket of sockets) socket.resetAndDestroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  }

  await start();
  const publish = (topic: string, payload: string | Buffer) =>
    new Promise<void>((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, dup: false, retain: false } as const;
      broker.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  const spelt = (id: string, value: Value) => (id === 'text' ? String(value) : `{"${id}":${value}}`);
  return {
    raw: {
      connection: { url: `mqtt://127.0.0.1:${port}`, protocolVersion: 4, username: 'gateway', timeout: '2s' },
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
          ],
        },
      ],
    },
    secrets: { password: 'near-secret' },
    values: { text: 'ON °C', double: 0.1, boolean: false },
    set: (id, value) => publish(`plant/${id}`, spelt(id, value)),
    failing: { point: 'broken', reason: 'decode', provoke: () => publish('plant/broken', Buffer.alloc(100_000, 0xfe)) },
    writable: { point: 'setpoint', values: [55.5, -3] },
    held: (id) => {
      const last = heard.get(`plant/${id}/set`);
      return Promise.resolve(last === undefined ? undefined : (JSON.parse(last) as { v: number }).v);
    },
    refused: { point: 'setpoint', value: Number.NaN },
    kill: end,
    restart: start,
    close: () => end().catch(() => undefined),
  };
}

driverSuite('mqtt 3.1.1 against aedes', mqtt as Driver, farEnd);
