/** A broker, devices with Tasmota on it, and a gateway that takes what they announce, as the product reads and runs it. */
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import type { Device } from '../../src/contract/device.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type Fields, type Kind, type Running, startTasmota, topics } from '../far/tasmota.ts';
import { states } from './discovered-plant.ts';
import { body, rig, until, user } from './rig.ts';

export interface TasmotaPlant {
  readonly port: number;
  /** Publishes what the broker does not keep. */
  say(topic: string, payload: unknown): Promise<void>;
  /** Publishes what it keeps, until the end of the test. */
  publish(topic: string, payload: unknown): Promise<void>;
  /** Both messages of a device. */
  announce(kind: Kind, over?: Fields): Promise<void>;
  /** A device that answers; it leaves at the end of the test. */
  start(name: keyof typeof topics, at?: Fields): Promise<Running>;
  /** Its power fails. */
  fail(device: Running): Promise<void>;
  /** One that does not ask, unless the connection says so. */
  gateway(connection?: Fields): Promise<Gateway>;
}

/** One for all tests of a file. */
export function tasmotaPlant(): TasmotaPlant {
  let broker: Mosquitto;
  let far: MqttClient;
  const kept = new Set<string>();
  const started = new Set<Running>();
  beforeAll(async () => {
    broker = await startMosquitto();
    far = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  });
  afterAll(async () => {
    await far.endAsync();
    await broker.close();
  });
  afterEach(async () => {
    for (const one of started) await one.leave();
    started.clear();
    for (const topic of kept) await far.publishAsync(topic, '', { retain: true, qos: 1 });
    kept.clear();
  });

  const text = (payload: unknown) => (typeof payload === 'string' ? payload : JSON.stringify(payload));
  const publish = async (topic: string, payload: unknown) => {
    kept.add(topic);
    await far.publishAsync(topic, text(payload), { retain: true, qos: 1 });
  };
  return {
    get port() {
      return broker.port;
    },
    publish,
    say: async (topic, payload) => void (await far.publishAsync(topic, text(payload), { qos: 1 })),
    async announce({ mac, config, sensors }, over = {}) {
      await publish(below(mac, 'config'), { ...config, ...over });
      await publish(below(mac, 'sensors'), sensors);
    },
    async start(name, at = {}) {
      const device = await startTasmota(broker.port, topics[name], at);
      started.add(device);
      kept.add(`${topics[name].tele}/LWT`);
      return device;
    },
    async fail(device) {
      started.delete(device);
      await device.die();
    },
    async gateway(connection = {}) {
      const { gateway } = await rig({ factor: 1 });
      const one = {
        id: 'house',
        kind: 'mqtt',
        url: `mqtt://127.0.0.1:${broker.port}`,
        timeout: '2s',
        tasmota: { ask: false },
        ...connection,
      };
      const plan = readSettings({ jsonData: Buffer.from(JSON.stringify({ connections: [one] })), secureJsonData: {} }, drivers);
      expect(plan.faults).toEqual([]);
      await gateway.apply(plan);
      await until('the link is up', () => gateway.connections()[0]?.state === 'up');
      return gateway;
    },
  };
}

export const below = (mac: string, what: 'config' | 'sensors') => `tasmota/discovery/${mac}/${what}`;

export const there = (gateway: Gateway, { mac }: Kind, points: number): Promise<Device> =>
  until(`${mac} has ${points} points`, () => (gateway.device(mac)?.points.length === points ? gateway.device(mac) : undefined));

/** Its topics are heard: its last will is one of them, and the broker repeats that when it has granted all. */
export async function heard(gateway: Gateway, kind: Kind, points: number): Promise<Device> {
  await until(`${kind.mac} is online`, () => states(gateway).includes(`${kind.mac} online`));
  return there(gateway, kind, points);
}

export const says = (gateway: Gateway, { mac }: Kind, point: string, value: unknown) =>
  until(`${point} says ${String(value)}`, () => gateway.last({ device: mac, point })?.value === value);

export const set = (gateway: Gateway, { mac }: Kind, point: string, value: string | number | boolean) =>
  gateway.set({ device: mac, point }, body(value), user);
