/** "Up" means that what was asked for is heard or refused: mosquitto behind a wire that can be made slow. */
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startMosquitto } from '../far/mosquitto.ts';
import { startWire } from '../far/wire.ts';
import { planFor } from './discovered-plant.ts';
import { rig, until } from './rig.ts';

const pointAt = (topic: string) => ({ id: 'd', connection: 'broker', points: [{ id: 'p', address: { topic } }] });

describe('a connection to a broker', () => {
  it('is up only when its subscriptions are granted: what is said once from then on is heard', async () => {
    const open = await startMosquitto();
    const wire = await startWire(open.port);
    wire.shape({ delayMs: 150 });
    const { gateway } = await rig({ factor: 1 });
    const seen = new Set<string>();
    await gateway.apply(planFor(wire.port, [pointAt('once')]));
    await until('it is up', () => {
      const { state = '' } = gateway.connections()[0] ?? {};
      seen.add(state);
      return state === 'up';
    });
    expect([...seen]).toEqual(['connecting', 'up']);
    await open.publish('once', '42');
    await until('it is heard', () => gateway.last({ device: 'd', point: 'p' })?.value === 42);
    await gateway.close();
    await wire.close();
    await open.close();
  });

  it('is not up at a broker that greets and never answers a subscription', async () => {
    const connack = Buffer.from([0x20, 3, 0, 0, 0]);
    const greeter = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.write(connack)));
    const port = await new Promise<number>((resolve) => {
      greeter.listen(0, '127.0.0.1', () => resolve((greeter.address() as AddressInfo).port));
    });
    const { gateway } = await rig({ factor: 1 });
    await gateway.apply(planFor(port, [pointAt('p')]));
    const seen = new Set<string>();
    const error = await until('it is down', () => {
      const { state = '', error } = gateway.connections()[0] ?? {};
      seen.add(state);
      return error;
    });
    expect(error).toMatch(/did not confirm the subscription of "p"/);
    expect([...seen]).toEqual(['connecting', 'down']);
    await gateway.close();
    greeter.close();
  });
});
