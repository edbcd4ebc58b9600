/** Two pumps on two buses that take commands, as Grafana's users meet them; for tests of commands. */
import * as z from 'zod';
import { drivers } from '../../drivers/index.ts';
import { lineDriver } from '../gateway/line-driver.ts';
import { type PlantServer, plantServer } from '../gateway/plant-server.ts';
import { type Asked, type Plant, startPlant } from './plant.ts';

export let far: PlantServer;
export let second: PlantServer;
export let plant: Plant;

export const writes = (server = far) => server.requests.filter(({ text }) => text.startsWith('W')).map(({ text }) => text);
export const post = (path: string, body: unknown, asked: Asked = {}) => plant.ask(path, { method: 'POST', body, role: 'Editor', ...asked });
export const set = (place: string, value: unknown, asked: Asked = {}) =>
  post(`devices/${place.replace('.', '/points/')}`, { value }, asked);

/** Before each test. */
export async function openPlant(): Promise<void> {
  [far, second] = await Promise.all([plantServer(), plantServer()]);
  far.units.set('3', { registers: new Map(Object.entries({ speed: '20', pressure: '1', mode: '0' })) });
  second.units.set('3', { registers: new Map([['speed', '20']]) });
  plant = await startPlant(settings(), { drivers: [...drivers, { ...lineDriver(), action: z.looseObject({}) }] });
  for (const device of ['pump', 'fan'])
    await plant.until(`devices/${device}/points/speed`, (answer) => answer.json.last?.quality === 'good');
}

/** After each test. */
export async function closePlant(): Promise<void> {
  await plant?.close();
  await Promise.all([far?.stop(), second?.stop()]);
}

export function settings({ rights = {}, write = {} }: { rights?: object; write?: object } = {}) {
  const at = (register: string) => ({ register, shape: { type: 'float64' } });
  const line = (id: string, { port }: PlantServer) => ({ id, kind: 'line', port, timeoutMs: 2_000, inFlight: 1 });
  const device = (id: string, connection: string) => ({
    ...{ id, connection, address: { unit: '3' }, interval: '50ms', labels: { site: connection } },
    points: [
      { id: 'speed', address: at('speed'), access: 'read-write', write: { max: 90, ...write } },
      ...(id === 'pump'
        ? [
            { id: 'pressure', address: at('pressure') },
            { id: 'mode', address: at('mode'), access: 'read-write' },
          ]
        : []),
    ],
    commands: [{ id: 'stop' }, { id: 'erase', confirm: true }],
  });
  return { connections: [line('north', far), line('south', second)], devices: [device('pump', 'north'), device('fan', 'south')], rights };
}
