/** The edge node on the desk, seen by the gateway and by an encoder that is not ours. */
import { expect, it, onTestFinished } from 'vitest';
import { startBroker } from '../../simulators/mqtt-broker.ts';
import { startLine } from '../../simulators/sparkplug-line.ts';
import { is, planOf, running, there } from '../drivers/mqtt-sparkplug-rig.ts';
import { body, until, user } from '../gateway/rig.ts';

it('is born when it is asked, works, obeys and dies', async () => {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => broker.close());
  const line = startLine({ broker });
  onTestFinished(() => line.stop());
  const gateway = await running(planOf(broker.port, { commands: 'devices' }, { protocolVersion: 4 }));
  const press = await there(gateway, 'Desk-Line.201-Press');
  expect(press.points.map(({ id, access }) => `${id} ${access}`)).toEqual([
    'Strokes read-write',
    'Running read-write',
    'Settings_Force read-write',
    'Hydraulics_Pressure read-write',
  ]);
  const strokes = () => Number(gateway.last({ device: press.id, point: 'Strokes' })?.value ?? 0);
  await until('it works', () => strokes() > 81_205);
  expect(await gateway.set({ device: press.id, point: 'Settings_Force' }, body(7.5), user)).toMatchObject({ state: 'verified' });
  expect(await gateway.set({ device: press.id, point: 'Running' }, body(false), user)).toMatchObject({ state: 'verified' });
  expect(gateway.discoveries()[0]).toMatchObject({ template: 'Sparkplug B', devices: 2, refused: 0 });
  expect(gateway.discoveries()[0]?.error).toBeUndefined();
  line.stop();
  await is(gateway, press.id, 'offline');
});
