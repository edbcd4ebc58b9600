/** Home Assistant discovery in a gateway as the product reads and runs it: mosquitto, its own clients, what three projects publish. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import { esphome, tasmota, wholeDevice, zigbee2mqtt } from '../far/homeassistant.ts';
import { startWire } from '../far/wire.ts';
import { announcingPlant, says, set, there } from './announcing-plant.ts';
import { states } from './discovered-plant.ts';
import { body, until, user } from './rig.ts';

const plant = announcingPlant();
const { publish, running, planOf, wasSent } = plant;

describe('Zigbee2MQTT', () => {
  const id = 'zigbee2mqtt_0x0017880104e45542';

  it('announces a plug: points, units, classes, states, commands', async () => {
    await publish(zigbee2mqtt);
    const { gateway } = await running();
    const device = await there(gateway, id, 7);
    expect(device.title).toBe('Kitchen plug');
    const told = Object.fromEntries(
      device.points.map((point) => [point.id, [point.title ?? '', point.unit ?? '', point.access, point.labels.class ?? '']]),
    );
    expect(told).toEqual({
      power: ['', 'watt', 'read', 'power'],
      energy: ['', 'kwatth', 'read', 'energy'],
      linkquality: ['Linkquality', 'suffix: lqi', 'read', ''],
      overload: ['Overload', '', 'read', 'problem'],
      switch: ['', '', 'read-write', ''],
      power_on_behavior: ['Power-on behavior', '', 'read-write', ''],
      countdown: ['Countdown', 's', 'read-write', ''],
    });
    expect(device.points.find((point) => point.id === 'energy')?.counter).toEqual({ resets: true });
    await publish({
      'zigbee2mqtt/Kitchen plug':
        '{"state":"ON","power":21.5,"energy":3.2,"linkquality":87,"overload":false,"power_on_behavior":"previous","countdown":0}',
    });
    await says(gateway, id, 'power', 21.5);
    await says(gateway, id, 'switch', true);
    await says(gateway, id, 'overload', false);
    await says(gateway, id, 'power_on_behavior', 'previous');

    expect((await set(gateway, id, 'switch', false)).state).not.toBe('rejected');
    await wasSent('zigbee2mqtt/Kitchen plug/set', 'OFF');
    await set(gateway, id, 'countdown', 60);
    await wasSent('zigbee2mqtt/Kitchen plug/set/countdown', '60');
    await set(gateway, id, 'power_on_behavior', 'off');
    await wasSent('zigbee2mqtt/Kitchen plug/set/power_on_behavior', 'off');
    await expect(set(gateway, id, 'countdown', 50_000)).rejects.toThrow(/allowed is 0 to 43200/);
  });

  it('is there when bridge and device both say so', async () => {
    await publish({ ...zigbee2mqtt, 'zigbee2mqtt/bridge/state': '{"state":"online"}' });
    const { gateway } = await running();
    await there(gateway, id, 7);
    expect(states(gateway)).toContain(`${id} unknown`);
    await publish({ 'zigbee2mqtt/Kitchen plug/availability': '{"state":"online"}' });
    await until('it is online', () => states(gateway).includes(`${id} online`));
    await publish({ 'zigbee2mqtt/bridge/state': '{"state":"offline"}' });
    await until('it is offline with its bridge', () => states(gateway).includes(`${id} offline`));
    expect(gateway.devices().find((one) => one.id === id)?.error).toMatch(/zigbee2mqtt\/bridge\/state said "offline"/);
  });

  it('a lamp is dimmed; what is not understood is told with its topic', async () => {
    await publish(zigbee2mqtt);
    const { gateway } = await running();
    const lamp = await there(gateway, 'zigbee2mqtt_0x00158d000a', 3);
    expect(lamp.points.map((point) => point.id)).toEqual(['light', 'light_brightness', 'light_color_temp']);
    await set(gateway, lamp.id, 'light', true);
    await wasSent('zigbee2mqtt/Lamp/set', '{"state": "ON"}');
    await set(gateway, lamp.id, 'light_brightness', 127);
    await wasSent('zigbee2mqtt/Lamp/set', '{"state": "ON", "brightness": 127}');
    const [told] = gateway.discoveries();
    expect(told).toMatchObject({ template: 'Home Assistant discovery', connection: 'house', devices: 2, refused: 0 });
    expect(told?.error).toMatch(
      /last_seen\/config: last_seen "\{\{ \(value_json\.last_seen \| as_datetime.* is not understood; understood are/,
    );
  });
});

describe('Tasmota', () => {
  it('announces in short words, with a base topic and its own name in front', async () => {
    await publish(tasmota);
    const { gateway } = await running();
    const device = await there(gateway, '35EBF6', 3);
    expect(device.title).toBe('Washer');
    expect(device.points.map(({ id, unit }) => `${id} ${unit ?? ''}`.trim())).toEqual([
      'DS18B20-1_Temperature celsius',
      'ENERGY_Power watt',
      'RL_1',
    ]);
    await publish({
      'washer/tele/LWT': 'Online',
      'washer/tele/STATE': '{"Time":"2026-11-22T10:00:00","POWER":"OFF"}',
      'washer/tele/SENSOR': '{"ENERGY":{"Power":3},"DS18B20-1":{"Temperature":21.46}}',
    });
    await says(gateway, '35EBF6', 'RL_1', false);
    await says(gateway, '35EBF6', 'ENERGY_Power', 3);
    await says(gateway, '35EBF6', 'DS18B20-1_Temperature', 21.5);
    await set(gateway, '35EBF6', 'RL_1', true);
    await wasSent('washer/cmnd/POWER', 'ON');
    await publish({ 'washer/tele/LWT': 'Offline' });
    await until('it is gone', () => states(gateway).includes('35EBF6 offline'));
  });
});

describe('ESPHome', () => {
  it('announces plain payloads; a device is verified, an empty configuration takes a point and at last the device away', async () => {
    await publish(esphome);
    const { gateway } = await running();
    const id = 'a4cf12f03d2c';
    const device = await there(gateway, id, 6);
    expect(device).toMatchObject({ title: 'greenhouse', labels: { area: 'Garden' } });
    await publish({
      'greenhouse/status': 'online',
      'greenhouse/sensor/air_temperature/state': '21.5',
      'greenhouse/binary_sensor/door/state': 'ON',
      'greenhouse/sensor/ip/state': '192.0.2.7',
      'greenhouse/number/target/state': '20',
    });
    await says(gateway, id, 'air_temperature', 21.5);
    await says(gateway, id, 'door', true);
    await says(gateway, id, 'ip', '192.0.2.7');
    plant.far.on('message', (topic, payload) => {
      if (topic === 'greenhouse/number/target/command') void plant.far.publish('greenhouse/number/target/state', payload, { retain: true });
    });
    expect(await gateway.set({ device: id, point: 'target' }, body(22.5), user)).toMatchObject({ state: 'verified', readBack: 22.5 });
    await expect(set(gateway, id, 'target', 22.7)).rejects.toThrow(/between the steps/);
    await set(gateway, id, 'restart', true);
    await wasSent('greenhouse/button/restart/command', 'PRESS');
    await plant.far.publishAsync('homeassistant/sensor/greenhouse/ip/config', '', { retain: true, qos: 1 });
    await there(gateway, id, 5);
    // What the others said is still known.
    expect(gateway.last({ device: id, point: 'air_temperature' })?.value).toBe(21.5);
    for (const topic of Object.keys(esphome)) await plant.far.publishAsync(topic, '', { retain: true, qos: 1 });
    await until('the device is gone', () => gateway.device(id) === undefined);
    expect(gateway.plan.connections[0]?.devices).toEqual([]);
  });
});

describe('in the gateway', () => {
  it('one message announces a whole device; templates calculate', async () => {
    await publish(wholeDevice);
    const { gateway } = await running();
    const device = await there(gateway, 'ea334450945afc', 2);
    expect(device.points).toMatchObject([
      { id: 'flow', scale: 0.001, address: { topic: 'meter/state', qos: 1 } },
      { id: 'level', scale: 0.5, offset: 10, precision: 2 },
    ]);
    await publish({ 'meter/state': '{"flow":1500,"level":50.333}' });
    await says(gateway, device.id, 'flow', 1.5);
    await says(gateway, device.id, 'level', 35.17);
  });

  it('devices are there after a restart before they are announced again, and gone when the settings no longer ask for them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fieldgate-announced-'));
    const store = openStore({ folder, clock: systemClock, log: silentLog });
    await publish(tasmota);
    const first = await running([], { store });
    await there(first.gateway, '35EBF6', 3);
    await publish({ 'washer/tele/SENSOR': '{"ENERGY":{"Power":7},"DS18B20-1":{"Temperature":20}}' });
    await says(first.gateway, '35EBF6', 'ENERGY_Power', 7);
    await first.gateway.close();
    for (const topic of Object.keys(tasmota)) await plant.far.publishAsync(topic, '', { retain: true, qos: 1 });

    const second = await running([], { store });
    const device = await there(second.gateway, '35EBF6', 3);
    expect(device.points.map(({ id }) => id)).toContain('ENERGY_Power');
    await says(second.gateway, '35EBF6', 'ENERGY_Power', 7);
    await second.gateway.apply(planOf([], { homeassistant: undefined }));
    expect(second.gateway.devices()).toEqual([]);
    await second.gateway.close();
    const third = await running([], { store });
    await store.flush();
    expect(third.gateway.devices()).toEqual([]);
    await third.gateway.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is heard again after the link was lost; who takes an id of the settings is refused and told', async () => {
    await publish({ ...tasmota, ...esphome });
    const own = { id: '35EBF6', connection: 'house', points: [{ id: 'mine', address: { topic: 'mine' } }] };
    const wire = await startWire(plant.port);
    const { gateway } = await running([own], {}, wire.port);
    const id = 'a4cf12f03d2c';
    await there(gateway, id, 6);
    expect(gateway.device('35EBF6')?.points.map((point) => point.id)).toEqual(['mine']);
    expect(gateway.discoveries()[0]).toMatchObject({ devices: 1, refused: 1, error: '35EBF6 is in the settings already' });
    wire.cut();
    await until('it is down', () => gateway.connections()[0]?.state === 'down');
    await until('it is up again', () => gateway.connections()[0]?.state === 'up');
    expect(gateway.device(id)?.points.length).toBe(6);
    await publish({ 'greenhouse/sensor/air_temperature/state': '20' });
    await says(gateway, id, 'air_temperature', 20);
    await gateway.close();
    await wire.close();
  });

  it('what was taken back while the link was away is gone; a broker that repeats nothing has only forgotten', async () => {
    const of = (name: string) => ({
      [`homeassistant/sensor/${name}/t/config`]: { device: { identifiers: [name] }, state_topic: `${name}/t`, unit_of_measurement: '°C' },
    });
    await publish({ ...of('stays'), ...of('goes') });
    // Nobody keeps this one: it says nothing that it is not repeated.
    const loud = 'homeassistant/sensor/loud/t/config';
    const wire = await startWire(plant.port);
    const { gateway } = await running([], {}, wire.port);
    await there(gateway, 'stays', 1);
    await there(gateway, 'goes', 1);
    await plant.far.publishAsync(loud, JSON.stringify(of('loud')[loud]), { qos: 1 });
    await there(gateway, 'loud', 1);
    const away = async (meanwhile: () => Promise<unknown>) => {
      wire.refuse(true);
      wire.cut();
      await until('it is down', () => gateway.connections()[0]?.state === 'down');
      await meanwhile();
      wire.refuse(false);
      await until('it is up again', () => gateway.connections()[0]?.state === 'up');
    };
    await away(() => plant.far.publishAsync('homeassistant/sensor/goes/t/config', '', { retain: true, qos: 1 }));
    await until('it is gone', () => gateway.device('goes') === undefined);
    expect([gateway.device('stays')?.points.length, gateway.device('loud')?.points.length]).toEqual([1, 1]);
    await away(() => plant.far.publishAsync('homeassistant/sensor/stays/t/config', '', { retain: true, qos: 1 }));
    await publish({ 'stays/t': '4' });
    await says(gateway, 'stays', 't', 4);
    await gateway.close();
    await wire.close();
  });

  it('bad announcements harm nobody', async () => {
    await publish({
      'homeassistant/sensor/a/x/config': 'not json',
      'homeassistant/sensor/b/x/config': '[1,2]',
      'homeassistant/sensor/c/x/config': { state_topic: 5, device: { identifiers: [{}] } },
      'homeassistant/sensor/d/x/config': { state_topic: 'a/#/b', device: { identifiers: 'd' } },
      'homeassistant/sensor/e/x/config': { state_topic: { a: 1 } },
      'homeassistant/teapot/f/x/config': { state_topic: 't' },
      'homeassistant/number/g/x/config': { command_topic: 'g/+/set', device: { identifiers: 'g' } },
      'homeassistant/select/h/x/config': {
        command_topic: 'h/set',
        options: Array.from({ length: 400 }, (_, i) => `o${i}`.repeat(60)),
        dev: { ids: 'h' },
      },
      'homeassistant/sensor/i/x/config': { state_topic: 'i', value_template: '{{'.repeat(20_000), dev: { ids: 'i' } },
      'homeassistant/sensor/j/x/config': {
        state_topic: 'j',
        value_template: `{{ ${'('.repeat(250)}value${')'.repeat(250)} }}`,
        dev: { ids: 'j' },
      },
      'homeassistant/sensor/k/x/config': { state_topic: 'k/{room}', dev: { ids: ['k {room} ü'] } },
      'homeassistant/device/l/config': { cmps: { a: null, b: 3, c: { p: 'sensor', state_topic: 'l' } }, dev: { ids: 'l' } },
      'homeassistant/sensor/m/x/config': { stat_t: '__proto__', '~': '__proto__', dev: { ids: '__proto__' } },
    });
    await publish(tasmota);
    const { gateway } = await running();
    await there(gateway, '35EBF6', 3);
    await publish({ 'k/{room}': '5' });
    await until('the strange name speaks', () => gateway.last({ device: 'k.20.7broom.7d.20.c3.bc', point: 'x' })?.value === '5');
    expect(gateway.discoveries()[0]?.error).toBeDefined();
    expect(gateway.connections()[0]?.state).toBe('up');
  });
});
