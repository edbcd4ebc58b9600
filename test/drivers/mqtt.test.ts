import { describe } from 'vitest';
import { mqtt } from '../../drivers/mqtt/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import type { Value } from '../../src/contract/sample.ts';
import { type Heard, startMosquitto } from '../far/mosquitto.ts';
import { driverSuite, type FarEnd } from './suite.ts';

/** How the far end spells a value of each point. */
const spellings: Record<string, (value: Value) => string> = {
  number: (value) => ` ${value}\n`,
  text: (value) => String(value),
  double: (value) => `{"climate":{"temperature":${value},"humidity":40}}`,
  integer: (value) => `{"energy":${value}}`,
  boolean: (value) => `{"states":[null,{"on air":${value}}]}`,
  word: (value) => JSON.stringify({ mode: value }),
  whole: (value) => JSON.stringify(value),
};

const point = (id: string, address: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  id,
  address: { topic: `plant/${id}`, ...address },
  ...more,
});

/** A broker with a user who may write to one command topic and not to another. */
async function farEnd(version: 4 | 5): Promise<FarEnd> {
  const broker = await startMosquitto({
    users: { admin: 'far-secret', gateway: 'near-secret' },
    acl: ['user admin', 'topic readwrite #', 'user gateway', 'topic read plant/#', 'topic write plant/setpoint/set'],
  });
  let heard: Heard = await broker.hear('plant/+/set');
  return {
    raw: {
      connection: { url: `mqtt://127.0.0.1:${broker.port}`, protocolVersion: version, username: 'gateway', timeout: '2s' },
      devices: [
        {
          id: 'plant',
          points: [
            point('number', {}),
            point('text', { format: 'text', qos: 2 }),
            point('double', { path: '$.climate.temperature', qos: 1 }),
            point('integer', { path: '$.energy' }),
            point('boolean', { path: '$.states[-1]["on air"]' }),
            point('word', { path: "$['mode']" }),
            point('whole', { format: 'json' }),
            point('broken', { path: '$.value' }),
            point(
              'setpoint',
              { path: '$.setpoint', set: { topic: 'plant/setpoint/set', payload: '{"setpoint": {value}}' } },
              { access: 'read-write' },
            ),
            point('forbidden', { set: { topic: 'plant/forbidden/set' } }, { access: 'read-write' }),
          ],
        },
      ],
    },
    secrets: { password: 'near-secret' },
    values: {
      number: -21.5,
      text: 'ON {"not":"json"} °C',
      double: 0.1,
      integer: 18_446_744_073_709_551_615n,
      boolean: false,
      word: 'heating',
      whole: 9_007_199_254_740_991,
    },
    set: (id, value) => broker.publish(`plant/${id}`, spellings[id]?.(value) ?? ''),
    failing: { point: 'broken', reason: 'decode', provoke: () => broker.publish('plant/broken', Buffer.alloc(100_000, 0xfe)) },
    writable: { point: 'setpoint', values: [55.5, -3, 1e21] },
    held: (id) => {
      const last = heard.messages.findLast(({ topic }) => topic === `plant/${id}/set`);
      return Promise.resolve(last === undefined ? undefined : (JSON.parse(last.payload) as { setpoint: number }).setpoint);
    },
    // A broker of MQTT 3.1.1 cannot say no to a publish; there the driver refuses what no payload can spell.
    refused: version === 5 ? { point: 'forbidden', value: 1 } : { point: 'setpoint', value: Number.NaN },
    kill: () => broker.kill(),
    restart: async () => {
      await heard.close();
      await broker.start();
      heard = await broker.hear('plant/+/set');
    },
    close: () => broker.close(),
  };
}

describe.each([5, 4] as const)('MQTT version %i', (version) => {
  driverSuite(`mqtt ${version} against mosquitto`, mqtt as Driver, () => farEnd(version));
});
