/** A broker with devices that announce themselves for Home Assistant, and gateways at it as the product reads and runs them. */
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { body, rig, until, user } from './rig.ts';

/** Started before the tests of a file and ended after them; what a test published is taken back behind it. */
export function announcingPlant() {
  let broker: Mosquitto;
  let far: MqttClient;
  const sent: { topic: string; payload: string }[] = [];
  const kept = new Set<string>();
  beforeAll(async () => {
    broker = await startMosquitto();
    far = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    far.on('message', (topic, payload) => void sent.push({ topic, payload: payload.toString() }));
    await far.subscribeAsync(['+/+/set', '+/+/set/+', '+/cmnd/+', '+/+/+/command']);
  });
  afterAll(async () => {
    await far.endAsync();
    await broker.close();
  });
  beforeEach(() => void sent.splice(0));
  afterEach(async () => {
    for (const topic of kept) await far.publishAsync(topic, '', { retain: true, qos: 1 });
    kept.clear();
  });

  function planOf(devices: readonly unknown[] = [], connection: Record<string, unknown> = {}) {
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const house = { id: 'house', kind: 'mqtt', url, timeout: '2s', homeassistant: {}, ...connection };
    return readSettings({ jsonData: Buffer.from(JSON.stringify({ connections: [house], devices })), secureJsonData: {} }, drivers);
  }

  return {
    planOf,
    get far() {
      return far;
    },
    get port() {
      return broker.port;
    },
    async publish(messages: Record<string, unknown>): Promise<void> {
      for (const [topic, payload] of Object.entries(messages)) {
        kept.add(topic);
        await far.publishAsync(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { retain: true, qos: 1 });
      }
    },
    async running(devices: readonly unknown[] = [], options: Parameters<typeof rig>[0] = {}, port = broker.port) {
      const made = await rig({ factor: 1, ...options });
      const plan = planOf(devices, { url: `mqtt://127.0.0.1:${port}` });
      expect(plan.faults).toEqual([]);
      await made.gateway.apply(plan);
      await until('the link is up', () => made.gateway.connections()[0]?.state === 'up');
      return made;
    },
    wasSent: (topic: string, payload: string) =>
      until(`${topic} ${payload}`, () => sent.some((one) => one.topic === topic && one.payload === payload)),
  };
}

export const there = (gateway: Gateway, id: string, points: number) =>
  until(`${id} is there`, () => (gateway.device(id)?.points.length === points ? gateway.device(id) : undefined));
export const says = (gateway: Gateway, device: string, point: string, value: unknown) =>
  until(`${device}.${point} says ${String(value)}`, () => gateway.last({ device, point })?.value === value);
export const set = (gateway: Gateway, device: string, point: string, value: string | number | boolean) =>
  gateway.set({ device, point }, body(value, { wait: 0 }), user);
