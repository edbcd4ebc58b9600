/** A gateway that runs settings against a real broker, as the product reads and runs them. */
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { Plan } from '../../src/gateway/plan.ts';

/** `home/{building}/{room}/…` as one template; `over` is laid over it. */
export function roomTemplate(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: '{building}-{room}',
    connection: 'broker',
    labels: { building: '{building}', room: '{room}', site: 'home' },
    points: [
      { id: 'temperature', address: { topic: 'home/{building}/{room}/climate', path: '$.t', time: '$.ts' }, unit: 'celsius' },
      { id: 'plain', address: { topic: 'home/{building}/{room}/plain' } },
      {
        id: 'light',
        title: 'Light of {room}',
        address: { topic: 'home/{building}/{room}/light/state', format: 'text', set: { topic: 'home/{building}/{room}/light/set' } },
        access: 'read-write',
        enum: { OFF: 'off', ON: 'on' },
      },
    ],
    ...over,
  };
}

export function planFor(port: number, devices: readonly unknown[], more: Record<string, unknown> = {}): Plan {
  const connections = ['broker', 'second'].map((id) => ({ id, kind: 'mqtt', url: `mqtt://127.0.0.1:${port}`, timeout: '2s' }));
  return readSettings({ jsonData: Buffer.from(JSON.stringify({ connections, devices, ...more })), secureJsonData: {} }, drivers);
}

/** The states of all devices, by id: `north-kitchen online`. */
export function states(gateway: Gateway): string[] {
  return gateway
    .devices()
    .map(({ id, state }) => `${id} ${state}`)
    .sort((one, other) => (one < other ? -1 : 1));
}
