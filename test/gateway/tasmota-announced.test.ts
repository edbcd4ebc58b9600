/** What is announced by Tasmota's own discovery, changed, taken back, mangled and lost, in a gateway: mosquitto. */
import { describe, expect, it } from 'vitest';
import { board, node, plug } from '../far/tasmota.ts';
import { startWire } from '../far/wire.ts';
import { until } from './rig.ts';
import { below, heard, says, tasmotaPlant, there } from './tasmota-plant.ts';

const plant = tasmotaPlant();

describe('in the gateway', () => {
  it('one that changes its topic is heard there, and no more at the old one', async () => {
    await plant.announce(plug);
    const gateway = await plant.gateway();
    await there(gateway, plug, 11);
    await plant.publish(below(plug.mac, 'config'), { ...plug.config, t: 'dryer', dn: 'Dryer' });
    await until('it is called otherwise', () => gateway.device(plug.mac)?.title === 'Dryer');
    await plant.publish('tele/dryer/STATE', '{"POWER":"ON"}');
    await says(gateway, plug, 'POWER', true);
    await plant.say('stat/washer/RESULT', '{"POWER":"OFF"}');
    await plant.say('tele/dryer/STATE', '{"Wifi":{"Signal":-40}}');
    await says(gateway, plug, 'Wifi_Signal', -40);
    expect(gateway.last({ device: plug.mac, point: 'POWER' })?.value).toBe(true);
    await plant.say('stat/dryer/RESULT', '{"POWER":"OFF"}');
    await says(gateway, plug, 'POWER', false);
  });

  it('what it measures may come first; an empty message takes sensors back, and then the device', async () => {
    await plant.publish(below(plug.mac, 'sensors'), plug.sensors);
    const gateway = await plant.gateway();
    await plant.publish(below(board.mac, 'config'), board.config);
    await there(gateway, board, 5);
    expect(gateway.device(plug.mac)).toBeUndefined();
    await plant.publish(below(plug.mac, 'config'), plug.config);
    await there(gateway, plug, 11);
    await plant.publish(below(plug.mac, 'sensors'), '');
    await there(gateway, plug, 2);
    await plant.publish(below(plug.mac, 'config'), '');
    await until('the device is gone', () => gateway.device(plug.mac) === undefined);
    expect(gateway.device(board.mac)).toBeDefined();
  });

  it('a message that nobody understands is told, and what was announced before stays', async () => {
    await plant.announce(plug);
    const gateway = await plant.gateway();
    await there(gateway, plug, 11);
    const wrong = async (what: 'config' | 'sensors', payload: unknown, told: RegExp) => {
      await plant.publish(below(plug.mac, what), payload);
      await until(String(told), () => told.test(gateway.discoveries()[0]?.error ?? ''));
      expect(gateway.device(plug.mac)?.points.length).toBe(11);
      await plant.announce(plug);
      await until('it is over', () => gateway.discoveries()[0]?.error === undefined);
    };
    await wrong('config', '{"ip":"192.0.2.17","dn":"Was', /DC4F2249A3BC\/config: the payload is not JSON/);
    await wrong('config', '[]', /config: is no JSON object/);
    await wrong('config', { ...plug.config, t: undefined }, /config: has no "t"; without it nobody knows its topics/);
    await wrong('config', { ...plug.config, t: 'a+b' }, /config: has a full topic \("ft"\) that makes no topic: .* wildcard/);
    await wrong('config', { ...plug.config, mac: 'AAAAAAAAAAAA' }, /config: says "mac" "AAAAAAAAAAAA"; allowed is that of the topic/);
    await wrong('sensors', { ver: 1 }, /sensors: has no object "sn"/);
  });

  it('parts that are wrong are told, and the rest of the device is there', async () => {
    const deep = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
    await plant.announce({ ...plug, sensors: { sn: { X: deep, ENERGY: { Power: 1 } } } }, { rl: [3, 1, 1], fn: 'Washer', swc: 7 });
    await plant.publish('tasmota/discovery/%%/config', plug.config);
    await plant.publish(`tasmota/discovery/${board.mac}/config`, { ...board.config, rl: Array.from({ length: 900 }, () => 1) });
    await plant.publish(`tasmota/discovery/${node.mac}/config`, {
      t: 'x',
      ft: '__proto__/%prefix%/%topic%',
      rl: ['1', null, {}],
      state: [5, {}],
    });
    await plant.publish(`tasmota/discovery/${node.mac}/sensors`, {
      sn: { ['__proto__']: { a: 1 }, 'a"b\\c': { 'ü {x}': 1 }, [`k${'y'.repeat(600)}`]: 1 },
    });
    const gateway = await plant.gateway();
    const { points } = await there(gateway, plug, 4);
    expect(points.map(({ id }) => id)).toEqual(['POWER2', 'POWER3', 'ENERGY_Power', 'Wifi_Signal']);
    await there(gateway, board, 65);
    await until('the strange one is there', () => gateway.device(node.mac)?.points.some(({ id }) => id === 'a_b_c____x_'));
    await plant.publish('__proto__/tele/x/SENSOR', { 'a"b\\c': { 'ü {x}': 4 } });
    await says(gateway, node, 'a_b_c____x_', 4);
    expect(gateway.discoveries()[0]?.error).toBeDefined();
    expect(gateway.connections()[0]?.state).toBe('up');
  });

  it('one that announces itself by both conventions under one id is refused by the second, in words', async () => {
    await plant.announce(plug);
    const gateway = await plant.gateway({ homeassistant: {} });
    await there(gateway, plug, 11);
    const entity = { dev: { ids: [plug.mac] }, stat_t: 'tele/washer/STATE', uniq_id: 'x' };
    await plant.publish(`homeassistant/sensor/${plug.mac}_status/config`, entity);
    await plant.publish('homeassistant/sensor/49A3BC_status/config', { ...entity, dev: { ids: ['49A3BC'] } });
    await until('the chip has a device too', () => gateway.device('49A3BC'));
    expect(gateway.device(plug.mac)?.points.length).toBe(11);
    const told = gateway.discoveries().find(({ template }) => template === 'Home Assistant discovery');
    expect(told?.error).toBe(`${plug.mac} is announced already, by Tasmota discovery on the connection house`);
  });

  it('is heard again after the link was lost; what was taken back meanwhile is gone', async () => {
    await plant.announce(plug);
    await plant.announce(board);
    await plant.publish('tele/washer/LWT', 'Online');
    const wire = await startWire(plant.port);
    const gateway = await plant.gateway({ url: `mqtt://127.0.0.1:${wire.port}` });
    await there(gateway, plug, 11);
    await there(gateway, board, 5);
    wire.refuse(true);
    wire.cut();
    await until('it is down', () => gateway.connections()[0]?.state === 'down');
    for (const what of ['config', 'sensors'] as const) await plant.publish(below(board.mac, what), '');
    wire.refuse(false);
    await until('it is up again', () => gateway.connections()[0]?.state === 'up');
    await until('the board is gone', () => gateway.device(board.mac) === undefined);
    await heard(gateway, plug, 11);
    await plant.say('stat/washer/RESULT', '{"POWER":"ON"}');
    await says(gateway, plug, 'POWER', true);
    await plant.say('tele/washer/STATE', '{"POWER":"OFF"}');
    await says(gateway, plug, 'POWER', false);
    await gateway.close();
    await wire.close();
  });
});

describe('devices that are asked', () => {
  it('say what they know as soon as they are found, and after each connection, without being set', async () => {
    await plant.announce(plug);
    const device = await plant.start('plug', { POWER: 'ON' });
    await device.sensor({ ENERGY: { Power: 12, Total: 3.5 } });
    const wire = await startWire(plant.port);
    const gateway = await plant.gateway({ url: `mqtt://127.0.0.1:${wire.port}`, tasmota: {} });
    await says(gateway, plug, 'POWER', true);
    await says(gateway, plug, 'ENERGY_Power', 12);
    wire.refuse(true);
    wire.cut();
    await until('it is down', () => gateway.connections()[0]?.state === 'down');
    await device.press('POWER', 'OFF');
    wire.refuse(false);
    await says(gateway, plug, 'POWER', false);
    // One that changes is found once.
    await plant.publish(below(plug.mac, 'config'), { ...plug.config, dn: 'Dryer' });
    await until('it is called otherwise', () => gateway.device(plug.mac)?.title === 'Dryer');
    expect(device.commands).toEqual([
      { command: 'TelePeriod', payload: '' },
      { command: 'TelePeriod', payload: '' },
    ]);
    await gateway.close();
    await wire.close();
  });

  it('are not those that sleep', async () => {
    await plant.announce(plug, { dslp: 1 });
    const device = await plant.start('plug', { POWER: 'ON' });
    await plant.announce(board);
    const other = await plant.start('board', { POWER1: 'ON' });
    const gateway = await plant.gateway({ tasmota: {} });
    await says(gateway, board, 'POWER1', true);
    expect(other.commands.map(({ command }) => command)).toEqual(['TelePeriod']);
    expect(device.commands).toEqual([]);
    await gateway.close();
  });
});
