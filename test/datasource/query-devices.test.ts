import { expect, it } from 'vitest';
import { fieldOf } from '../frame/read.ts';
import { clock, device, openBench } from './query-fixture.ts';

it('latest as devices: a row a device, a column a point of its own type, with the settings that its devices agree in', async () => {
  const own = openBench([
    device(
      'van-1',
      { latitude: {}, longitude: {}, door: { enum: { 0: 'shut', 1: 'open' } }, speed: { unit: 'velocitykmh' } },
      { crew: 'a' },
    ),
    device('van-2', { latitude: {}, longitude: {}, speed: { unit: 'velocityknot' }, note: {} }),
    device('van-3', { latitude: {} }),
  ]);
  try {
    const atMs = clock.nowMs();
    await own.gateway.say('van-1.latitude', { value: 47.5, atMs }, { value: 47.25, atMs: atMs + 20 });
    await own.gateway.say('van-1.longitude', { value: 8.5, atMs: atMs + 10 });
    await own.gateway.say('van-1.door', { value: true, atMs });
    await own.gateway.say('van-1.speed', { value: 50, atMs });
    await own.gateway.say('van-2.latitude', { value: null, reason: 'timeout', atMs });
    await own.gateway.say('van-2.speed', { value: 9007199254740993n, atMs });
    await own.gateway.say('van-2.note', { value: 'spare', atMs });
    const [frame] = await own.frames({ queryType: 'latest', devices: ['*'], format: 'devices' });
    if (!frame) throw new Error('no frame');
    // No type: numbers of several columns are none of Alerting's.
    expect(frame.meta).not.toHaveProperty('type');
    expect(frame.fields.map(({ name }) => name)).toEqual(['time', 'device', 'crew', 'door', 'latitude', 'longitude', 'speed', 'note']);
    expect(fieldOf(frame, 'time').values).toEqual([`${atMs + 20}000000`, `${atMs}000000`, null]);
    expect(fieldOf(frame, 'device').values).toEqual(['van-1', 'van-2', 'van-3']);
    expect(fieldOf(frame, 'crew').values).toEqual(['a', '', '']);
    expect(fieldOf(frame, 'latitude').values).toEqual([47.25, null, null]);
    expect(fieldOf(frame, 'longitude').values).toEqual([8.5, null, null]);
    expect(fieldOf(frame, 'door')).toMatchObject({ values: [true, null, null], config: { mappings: [{ type: 'value' }] } });
    // Kilometres an hour in one row and knots in the next are no unit of the column.
    expect(fieldOf(frame, 'speed').values).toEqual([50, 9007199254740992, null]);
    expect(fieldOf(frame, 'speed').config ?? {}).not.toHaveProperty('unit');
    expect(fieldOf(frame, 'note').values).toEqual([null, 'spare', null]);
    await expect(own.frames({ queryType: 'telemetry', devices: ['*'], format: 'devices' })).rejects.toThrow(
      'format is "devices", which is of queryType "latest"; allowed are "multi", "wide" and "long"',
    );
  } finally {
    await own.close();
  }
});
