/** Questions whose reply was lost, through a gateway: asked again as often as the connection says before their points are bad. */
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import { portName } from '../far/port.ts';
import { startPython } from '../far/python.ts';
import { body, planOf, rig, until, user } from '../gateway/rig.ts';
import { driver, lineTo } from './serial-rig.ts';

const range = { fromNs: 0n, toNs: 2n ** 62n };

it.each([
  ['silence', undefined],
  ['damaged frames', { frame: 'nmea', payload: Buffer.from('N=1').toString('hex'), spoil: true }],
])('%s for a reply: asked again, and only the last try counts; a command is sent once', async (_what, said) => {
  const path = portName();
  const far = await startPython('serial_frames.py', path);
  const store = openStore({ folder: undefined, clock: systemClock, log: silentLog });
  onTestFinished(async () => {
    await store.close();
    await far.kill();
  });
  const line = lineTo(
    { path, framing: { type: 'delimiter', checksum: { type: 'nmea' } }, timeout: '300ms', turnaround: '50ms', retries: 2 },
    { n: { request: '$N?\r\n', reply: '^\\$N=(?<n>\\d+)$' }, go: { set: { send: '$GO={value}\r\n', ack: '^\\$OK$' } } },
  );
  const devices = line.devices.map((device) => ({
    ...device,
    connection: 'line',
    points: device.points.map((point) => ({ ...point, intervalMs: 600_000 })),
  }));
  const { gateway } = await rig({ factor: 1, store });
  await gateway.apply(planOf({ connection: { ...line.connection, id: 'line', kind: 'serial' }, driver, devices, secrets: {} }));
  let heard = '';
  const times = async (text: string) => {
    heard += Buffer.from((await far.ask({ heard: true })).value as string, 'hex').toString();
    return heard.split(text).length - 1;
  };
  for (let i = 1; i <= 2; i++) {
    await until(`question ${i}`, async () => (await times('$N?')) === i);
    if (said) await far.ask(said);
  }
  await until('the third question', async () => (await times('$N?')) === 3);
  await far.ask({ frame: 'nmea', payload: Buffer.from('N=7').toString('hex') });
  await until('the value', () => gateway.last({ device: 'it', point: 'n' })?.value === 7);
  expect(await gateway.set({ device: 'it', point: 'go' }, body(1), user)).toMatchObject({ state: 'unknown' });
  expect(await times('$GO=1')).toBe(1);
  await store.flush();
  const kept = await store.range(
    '1/test',
    [{ device: 'it', point: 'n' }],
    range,
    { quality: 'all', rowsMax: 100 },
    AbortSignal.timeout(5_000),
  );
  expect(kept.map(({ columns }) => Array.from(columns.times, (_, i) => [columns.values[i], columns.quality[i]]))).toEqual([[[7, 0]]]);
});

it('as often as it may be asked and no more: then its point is bad', async () => {
  const path = portName();
  const far = await startPython('serial_frames.py', path);
  onTestFinished(() => far.kill());
  const points = { n: { request: '$N?\n', reply: '^N=(?<n>\\d+)$' } };
  const line = lineTo({ path, timeout: '100ms', turnaround: '20ms', retries: 1 }, points);
  const devices = line.devices.map((device) => ({
    ...device,
    connection: 'line',
    points: device.points.map((point) => ({ ...point, intervalMs: 600_000 })),
  }));
  const { gateway } = await rig({ factor: 1 });
  await gateway.apply(planOf({ connection: { ...line.connection, id: 'line', kind: 'serial' }, driver, devices, secrets: {} }));
  await until('a bad value', () => gateway.last({ device: 'it', point: 'n' })?.reason === 'timeout');
  expect(Buffer.from((await far.ask({ heard: true })).value as string, 'hex').toString()).toMatch(/^(\$N\?\n){2}/);
});
