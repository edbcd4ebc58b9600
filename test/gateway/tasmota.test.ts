/** What Tasmota's own discovery makes of devices of each kind, their values and commands: mosquitto, and devices that answer as the firmware does. */
import { describe, expect, it } from 'vitest';
import { board, type Fields, lamp, meter, node, plug, shutters, topics } from '../far/tasmota.ts';
import { states } from './discovered-plant.ts';
import { until } from './rig.ts';
import { heard, says, set, tasmotaPlant, there } from './tasmota-plant.ts';

const plant = tasmotaPlant();

describe('a plug', () => {
  it('has title, label, switch, measurements with units and counters', async () => {
    await plant.announce(plug);
    const device = await plant.start('plug', { POWER: 'OFF' });
    const gateway = await plant.gateway();
    const { title, labels, points } = await heard(gateway, plug, 11);
    expect({ title, labels }).toEqual({ title: 'Washer', labels: { model: 'Gosund SP1 v23' } });
    expect(
      Object.fromEntries(points.map((point) => [point.id, [point.title, point.unit, point.access, point.counter !== undefined]])),
    ).toEqual({
      POWER: ['Washer', undefined, 'read-write', false],
      ENERGY_Total: ['ENERGY Total', 'kwatth', 'read', true],
      ENERGY_Yesterday: ['ENERGY Yesterday', 'kwatth', 'read', false],
      ENERGY_Today: ['ENERGY Today', 'kwatth', 'read', true],
      ENERGY_Power: ['ENERGY Power', 'watt', 'read', false],
      ENERGY_ApparentPower: ['ENERGY ApparentPower', 'voltamp', 'read', false],
      ENERGY_ReactivePower: ['ENERGY ReactivePower', 'voltampreact', 'read', false],
      ENERGY_Factor: ['ENERGY Factor', undefined, 'read', false],
      ENERGY_Voltage: ['ENERGY Voltage', 'volt', 'read', false],
      ENERGY_Current: ['ENERGY Current', 'amp', 'read', false],
      Wifi_Signal: ['Wifi Signal', 'dBm', 'read', false],
    });
    await device.state();
    await says(gateway, plug, 'POWER', false);
    await says(gateway, plug, 'Wifi_Signal', -54);
    await device.sensor({ ENERGY: { Total: 12.4, Power: 2044 } });
    await says(gateway, plug, 'ENERGY_Power', 2044);
    await says(gateway, plug, 'ENERGY_Total', 12.4);
    // What a message leaves out it says nothing of.
    expect(gateway.last({ device: plug.mac, point: 'ENERGY_Voltage' })).toBeUndefined();
    // Its time names no zone: that of arrival counts, and nothing is wrong.
    const last = gateway.last({ device: plug.mac, point: 'ENERGY_Power' });
    expect(last?.timeNs).toBe(last?.arrivalNs);
    expect(gateway.devices().find(({ id }) => id === plug.mac)?.error).toBeUndefined();
  });

  it('obeys, and the command is verified by its answer; what is pressed at it is seen', async () => {
    await plant.announce(plug);
    const device = await plant.start('plug', { POWER: 'OFF' });
    const gateway = await plant.gateway();
    await heard(gateway, plug, 11);
    expect(await set(gateway, plug, 'POWER', true)).toMatchObject({ state: 'verified', readBack: true });
    expect(device.commands).toEqual([{ command: 'POWER', payload: 'ON' }]);
    await device.press('POWER', 'OFF');
    await says(gateway, plug, 'POWER', false);
    // SetOption26 puts a number behind it, which nothing announces.
    await plant.say(`${topics.plug.stat}/RESULT`, '{"POWER1":"ON"}');
    await says(gateway, plug, 'POWER', true);
  });

  it('one that stands still is not verified', async () => {
    await plant.announce(plug);
    await plant.publish('tele/washer/LWT', 'Online');
    const gateway = await plant.gateway();
    await heard(gateway, plug, 11);
    await plant.say(`${topics.plug.stat}/RESULT`, '{"POWER":"OFF"}');
    await says(gateway, plug, 'POWER', false);
    expect((await set(gateway, plug, 'POWER', true)).state).not.toBe('verified');
  });

  it('is there and gone as its last will says', async () => {
    await plant.announce(plug);
    const device = await plant.start('plug', { POWER: 'OFF' });
    const gateway = await plant.gateway();
    await until('it is online', () => states(gateway).includes(`${plug.mac} online`));
    await plant.fail(device);
    await until('it is offline', () => states(gateway).includes(`${plug.mac} offline`));
    expect(gateway.devices()[0]?.error).toMatch(/said "Offline"/);
    await plant.start('plug', { POWER: 'OFF' });
    await until('it is back', () => states(gateway).includes(`${plug.mac} online`));
  });

  it('one that sleeps deeply is not gone', async () => {
    await plant.announce(plug, { dslp: 1 });
    const gateway = await plant.gateway();
    expect((await there(gateway, plug, 11)).availability).toBeUndefined();
  });
});

describe('other devices', () => {
  it('a board: four relays by their names, in the order of a full topic of its own', async () => {
    await plant.announce(board);
    const device = await plant.start('board', { POWER1: 'OFF', POWER2: 'OFF', POWER3: 'OFF', POWER4: 'ON' });
    const gateway = await plant.gateway();
    const { points } = await heard(gateway, board, 5);
    expect(points.map(({ id, title }) => `${id} ${title}`)).toEqual([
      'POWER1 Pump',
      'POWER2 Fan',
      'POWER3 Lamp',
      'POWER4 Gate',
      'Wifi_Signal Wifi Signal',
    ]);
    await device.state();
    await says(gateway, board, 'POWER4', true);
    expect(await set(gateway, board, 'POWER3', true)).toMatchObject({ state: 'verified', readBack: true });
    expect(gateway.last({ device: board.mac, point: 'POWER1' })?.value).toBe(false);
  });

  it('SetOption4: relays are known from telemetry, and that is told', async () => {
    await plant.announce(board, { so: { '4': 1 } });
    const device = await plant.start('board', { POWER1: 'OFF' });
    const gateway = await plant.gateway();
    await heard(gateway, board, 5);
    expect(gateway.discoveries()[0]?.error).toMatch(/config: SetOption4 is 1: relays answer with text and JSON/);
    expect((await set(gateway, board, 'POWER1', true)).state).toBe('acknowledged');
    await device.state({ POWER1: 'ON' });
    await says(gateway, board, 'POWER1', true);
  });

  it('a meter: three phases, a pulse counter, and names nobody knows', async () => {
    await plant.announce(meter);
    const device = await plant.start('meter');
    const gateway = await plant.gateway();
    const { points } = await heard(gateway, meter, 10);
    expect(points.map(({ id, unit, counter }) => `${id} ${unit ?? '-'}${counter ? ' counts' : ''}`)).toEqual([
      'ENERGY_Total_1 kwatth counts',
      'ENERGY_Total_2 kwatth counts',
      'ENERGY_Total_3 kwatth counts',
      'ENERGY_Voltage_1 volt',
      'ENERGY_Voltage_2 volt',
      'ENERGY_Voltage_3 volt',
      'ENERGY_Frequency hertz',
      'COUNTER_C1 - counts',
      'eHZ_E_in -',
      'Wifi_Signal dBm',
    ]);
    await device.sensor({ ENERGY: { Voltage: [230, 228, 229] }, eHZ: { E_in: 16585.3 } });
    await says(gateway, meter, 'ENERGY_Voltage_2', 228);
    await says(gateway, meter, 'eHZ_E_in', 16585.3);
  });

  it('a sensor node: units as it is set to, several of one kind, a switch, words, a battery', async () => {
    await plant.announce(node);
    const device = await plant.start('node');
    const gateway = await plant.gateway();
    const { points } = await heard(gateway, node, 14);
    expect(points.map(({ id, unit }) => `${id} ${unit ?? '-'}`)).toEqual([
      'Switch1 -',
      'DS18B20-1_Temperature fahrenheit',
      'DS18B20-2_Temperature fahrenheit',
      'BME280_Temperature fahrenheit',
      'BME280_Humidity percent',
      'BME280_DewPoint fahrenheit',
      'BME280_Pressure suffix: mmHg',
      'TX23_Speed_Act velocitykmh',
      'TX23_Speed_Avg velocitykmh',
      'TX23_Dir_Card -',
      'TX23_Dir_Deg -',
      'SDS0X1_PM2_5 con\u03bcgm3',
      'Wifi_Signal dBm',
      'BatteryPercentage percent',
    ]);
    await device.sensor({
      Switch1: 'OFF',
      'DS18B20-2': { Temperature: 61.5 },
      BME280: { Humidity: null },
      TX23: { Dir: { Card: 'N' } },
      SDS0X1: { 'PM2.5': 3.5 },
    });
    await says(gateway, node, 'Switch1', false);
    await says(gateway, node, 'DS18B20-2_Temperature', 61.5);
    await says(gateway, node, 'TX23_Dir_Card', 'N');
    await says(gateway, node, 'SDS0X1_PM2_5', 3.5);
    await until('a null is no value', () => gateway.last({ device: node.mac, point: 'BME280_Humidity' })?.reason === 'sentinel');
    await device.state({ BatteryPercentage: 71 });
    await says(gateway, node, 'BatteryPercentage', 71);
  });

  it('a switch that is told (SetOption114) says each change at once, under the name it was given', async () => {
    const sensors = { sn: { Time: '2026-11-22T10:00:00', Door: 'OFF' }, ver: 1 };
    await plant.announce({ ...board, sensors }, { rl: [0], swc: [1, -1], swn: ['Door', null], so: { '114': 1 } });
    await plant.start('board');
    const gateway = await plant.gateway();
    await heard(gateway, board, 2);
    await plant.say(`${topics.board.stat}/RESULT`, '{"Door":{"Action":"ON"}}');
    await says(gateway, board, 'Door', true);
    await plant.say(`${topics.board.tele}/SENSOR`, '{"Time":"2026-11-22T10:05:00","Door":"OFF"}');
    await says(gateway, board, 'Door', false);
  });

  it('a time that names its zone counts', async () => {
    const at = new Date(Date.now() - 60_000).toISOString().slice(0, 19);
    await plant.announce({ ...plug, sensors: { sn: { Time: `${at}+00:00`, ENERGY: { Power: 1 } } } });
    const device = await plant.start('plug');
    const gateway = await plant.gateway();
    await heard(gateway, plug, 3);
    await device.sensor({ Time: `${at}+00:00`, ENERGY: { Power: 5 } });
    await says(gateway, plug, 'ENERGY_Power', 5);
    expect(gateway.last({ device: plug.mac, point: 'ENERGY_Power' })?.timeNs).toBe(BigInt(Date.parse(`${at}Z`)) * 1_000_000n);
  });

  it('shutters: 100 is open, whichever way they count; a way is verified at its end', async () => {
    await plant.announce(shutters);
    const device = await plant.start('shutters', shutters.sensors.sn as Fields);
    const gateway = await plant.gateway();
    const { points } = await heard(gateway, shutters, 7);
    // No relay of a shutter is switched by itself.
    expect(points.map(({ id }) => id)).toEqual([
      'Shutter1_Position',
      'Shutter1_Direction',
      'Shutter1_Command',
      'Shutter2_Position',
      'Shutter2_Direction',
      'Shutter2_Command',
      'Wifi_Signal',
    ]);
    await device.sensor(shutters.sensors.sn as Fields);
    await says(gateway, shutters, 'Shutter1_Position', 0);
    await says(gateway, shutters, 'Shutter2_Position', 0);
    expect(await set(gateway, shutters, 'Shutter1_Position', 70)).toMatchObject({ state: 'verified', readBack: 70 });
    expect(await set(gateway, shutters, 'Shutter2_Position', 70)).toMatchObject({ state: 'verified', readBack: 70 });
    await set(gateway, shutters, 'Shutter1_Command', 'close');
    await says(gateway, shutters, 'Shutter1_Position', 0);
    expect(device.commands).toEqual([
      { command: 'ShutterPosition1', payload: '70' },
      { command: 'ShutterPosition2', payload: '30' },
      { command: 'ShutterPosition1', payload: 'CLOSE' },
    ]);
    await expect(set(gateway, shutters, 'Shutter1_Position', 101)).rejects.toThrow(/allowed is 0 to 100/);
  });

  it('a lamp is dimmed, and its white set within the range it has', async () => {
    await plant.announce(lamp);
    const device = await plant.start('lamp', { POWER: 'OFF', Dimmer: 10, CT: 300 });
    const gateway = await plant.gateway();
    const { points } = await heard(gateway, lamp, 4);
    expect(points.map(({ id, title }) => `${id} ${title}`)).toEqual([
      'POWER Desk',
      'Dimmer Desk Dimmer',
      'CT Desk CT',
      'Wifi_Signal Wifi Signal',
    ]);
    await device.state();
    await says(gateway, lamp, 'Dimmer', 10);
    expect(await set(gateway, lamp, 'Dimmer', 40)).toMatchObject({ state: 'verified', readBack: 40 });
    await says(gateway, lamp, 'POWER', true);
    expect(await set(gateway, lamp, 'CT', 250)).toMatchObject({ state: 'verified', readBack: 250 });
    await expect(set(gateway, lamp, 'CT', 153)).rejects.toThrow(/allowed is 200 to 380/);
  });

  it('lights of several channels, apart or in colour and white, a Tuya and a fan have what can be set of them', async () => {
    const so = (option: string) => ({ so: { [option]: 1 } });
    await plant.announce(lamp, { rl: [1, 2, 2, 0], lt_st: 2, ...so('68') });
    const gateway = await plant.gateway();
    const have = (...ids: string[]) =>
      until(ids.join(), () => {
        const points = gateway.device(lamp.mac)?.points.map(({ id }) => id);
        return points?.slice(0, -1).join() === ids.join();
      });
    await have('POWER1', 'POWER2', 'POWER3', 'Channel2', 'Channel3');
    await plant.announce(lamp, { rl: [2, 2], lt_st: 5, lk: 0 });
    await have('POWER1', 'POWER2', 'Dimmer1', 'Dimmer2', 'CT');
    await plant.announce(lamp, { lt_st: 1, ty: 1 });
    await have('POWER', 'Dimmer');
    expect(gateway.device(lamp.mac)?.points[1]?.address).toMatchObject({ path: '$.Dimmer', set: { topic: 'cmnd/lamp/Dimmer3' } });
    await plant.announce(lamp, { rl: [2, 0, 0, 0], lt_st: 0, if: 1 });
    await have('POWER1', 'FanSpeed');
    await plant.publish(`${topics.lamp.tele}/STATE`, '{"FanSpeed":2}');
    await says(gateway, lamp, 'FanSpeed', 2);
  });
});
