import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBroker } from '../../simulators/mqtt-broker.ts';
import { startHouse } from '../../simulators/mqtt-house.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { root } from '../wire/plugin.ts';

let mosquitto: Mosquitto;
const ends: (() => Promise<void> | void)[] = [];
beforeAll(async () => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 });
  ends.push(() => broker.close());
  ends.push(startHouse({ broker }).stop);
  const lines = readFileSync(join(root, 'provisioning/mosquitto/mosquitto.conf'), 'utf8').split('\n');
  const bridge = lines.slice(lines.findIndex((line) => line.startsWith('connection ')));
  mosquitto = await startMosquitto({ lines: bridge.map((line) => line.replace('simulators:1883', `127.0.0.1:${broker.port}`)) });
  ends.push(() => mosquitto.close());
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

it('the broker of docker-compose.yaml brings what the devices say and takes what they are told, each once', async () => {
  const light = await mosquitto.hear('home/south/lab/light/state');
  const climate = await mosquitto.hear('home/+/+/climate');
  await expect.poll(() => climate.messages.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await expect.poll(() => light.messages.map(({ payload }) => payload), { timeout: 10_000 }).toEqual(['OFF']);
  await mosquitto.publish('home/south/lab/light/set', 'ON');
  await expect.poll(() => light.messages.map(({ payload }) => payload), { timeout: 10_000 }).toEqual(['OFF', 'ON']);
  // Who comes later must hear the state as it is.
  const later = await mosquitto.hear('home/south/lab/light/state');
  await expect.poll(() => later.messages, { timeout: 10_000 }).toMatchObject([{ payload: 'ON', retained: true }]);
});
