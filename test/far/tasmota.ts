/**
 * Devices with Tasmota: what they announce (`tasmota/discovery/<MAC>/config` and `/sensors`), tell and answer, as its public documentation and the logs of
 * its users show it. None of it is ours.
 */
import { connectAsync, type MqttClient } from 'mqtt';

export type Fields = Record<string, unknown>;

/** The fields all have, over them those of one; lists are as long as in the firmware for small chips. */
const config = (mac: string, topic: string, over: Fields): Fields => ({
  ip: '192.0.2.17',
  dn: 'Tasmota',
  fn: ['Tasmota', null, null, null, null, null, null, null],
  hn: `${topic}-0956`,
  mac,
  md: 'Generic',
  ty: 0,
  if: 0,
  ofln: 'Offline',
  onln: 'Online',
  state: ['OFF', 'ON', 'TOGGLE', 'HOLD'],
  sw: '14.2.0',
  t: topic,
  ft: '%prefix%/%topic%/',
  tp: ['cmnd', 'stat', 'tele'],
  rl: [0, 0, 0, 0, 0, 0, 0, 0],
  swc: [-1, -1, -1, -1, -1, -1, -1, -1],
  swn: [null, null, null, null, null, null, null, null],
  btn: [0, 0, 0, 0, 0, 0, 0, 0],
  so: { '4': 0, '11': 0, '13': 0, '17': 0, '20': 0, '30': 0, '68': 0, '73': 0, '82': 0, '114': 0, '117': 0 },
  lk: 1,
  lt_st: 0,
  bat: 0,
  dslp: 0,
  sho: [],
  sht: [],
  ver: 1,
  ...over,
});

export interface Kind {
  mac: string;
  config: Fields;
  sensors: Fields;
}

const kind = (mac: string, topic: string, over: Fields, sensors: Fields = {}): Kind => ({
  mac,
  config: config(mac, topic, over),
  sensors: { sn: { Time: '2026-11-22T10:00:00', ...sensors }, ver: 1 },
});

export const plug = kind(
  'DC4F2249A3BC',
  'washer',
  { dn: 'Washer', fn: ['Washer', null, null, null, null, null, null, null], md: 'Gosund SP1 v23', rl: [1, 0, 0, 0, 0, 0, 0, 0] },
  {
    ENERGY: {
      TotalStartTime: '2026-01-04T12:33:19',
      Total: 12.345,
      Yesterday: 0.5,
      Today: 0.25,
      Power: 3,
      ApparentPower: 8,
      ReactivePower: 7,
      Factor: 0.39,
      Voltage: 231,
      Current: 0.034,
    },
  },
);

export const board = kind('2CF432CC2FC5', 'board', {
  dn: 'Board',
  fn: ['Pump', 'Fan', 'Lamp', 'Gate', null, null, null, null],
  ft: 'plant/%topic%/%prefix%/',
  rl: [1, 1, 1, 1, 0, 0, 0, 0],
});

export const meter = kind(
  '8CAAB5000001',
  'meter',
  { dn: 'Meter' },
  { ENERGY: { Total: [1, 2, 3], Voltage: [230, 231, 229], Frequency: 50 }, COUNTER: { C1: 17 }, eHZ: { E_in: 16585.289 } },
);

export const node = kind(
  'E09806F17F56',
  'cellar',
  { dn: 'Cellar', ft: '%hostname%/%id%/%prefix%', tp: ['c', 's', 't'], bat: 1 },
  {
    Switch1: 'ON',
    'DS18B20-1': { Id: '01191ED79190', Temperature: 64.4 },
    'DS18B20-2': { Id: '01131B123456', Temperature: null },
    BME280: { Temperature: 66.2, Humidity: 51.3, DewPoint: 47.5, Pressure: 760.1 },
    TX23: { Speed: { Act: 14.8, Avg: 8.5 }, Dir: { Card: 'WSW', Deg: 247.5 } },
    SDS0X1: { 'PM2.5': 4.2 },
    PressureUnit: 'mmHg',
    TempUnit: 'F',
    SpeedUnit: 'km/h',
  },
);

const shutterAt = (Position: number, Direction = 0, Target = Position) => ({ Position, Direction, Target, Tilt: 0 });
export const shutters = kind(
  'A4CF12F03D2C',
  'blinds',
  {
    dn: 'Blinds',
    rl: [3, 3, 3, 3, 0, 0, 0, 0],
    sho: [0, 1],
    sht: [
      [0, 0, 0],
      [0, 0, 0],
    ],
  },
  { Shutter1: shutterAt(0), Shutter2: shutterAt(100) },
);

export const lamp = kind('BCDDC2238487', 'lamp', {
  dn: 'Lamp',
  fn: ['Desk', null, null, null, null, null, null, null],
  rl: [2, 0, 0, 0, 0, 0, 0, 0],
  lt_st: 2,
  so: { '4': 0, '68': 0, '82': 1 },
});

/** One that is on the line: it answers commands and has a last will. */
export interface Running {
  readonly commands: { command: string; payload: string }[];
  state(more?: Fields): Promise<void>;
  sensor(fields: Fields): Promise<void>;
  /** The power of a relay is changed at the device. */
  press(name: string, word: string): Promise<void>;
  /** Its power fails. */
  die(): Promise<void>;
  leave(): Promise<void>;
}

interface Topics {
  cmnd: string;
  stat: string;
  tele: string;
}

/** What the firmware makes of its full topic, written down for each. */
export const topics: Record<'plug' | 'board' | 'meter' | 'node' | 'shutters' | 'lamp', Topics> = {
  plug: { cmnd: 'cmnd/washer', stat: 'stat/washer', tele: 'tele/washer' },
  board: { cmnd: 'plant/board/cmnd', stat: 'plant/board/stat', tele: 'plant/board/tele' },
  meter: { cmnd: 'cmnd/meter', stat: 'stat/meter', tele: 'tele/meter' },
  node: { cmnd: 'cellar-0956/E09806F17F56/c', stat: 'cellar-0956/E09806F17F56/s', tele: 'cellar-0956/E09806F17F56/t' },
  shutters: { cmnd: 'cmnd/blinds', stat: 'stat/blinds', tele: 'tele/blinds' },
  lamp: { cmnd: 'cmnd/lamp', stat: 'stat/lamp', tele: 'tele/lamp' },
};

export async function startTasmota(port: number, { cmnd, stat, tele }: Topics, at: Fields): Promise<Running> {
  const said: Fields = { ...at };
  const commands: Running['commands'] = [];
  const will = { topic: `${tele}/LWT`, payload: Buffer.from('Offline'), qos: 1 as const, retain: true };
  const client: MqttClient = await connectAsync(`mqtt://127.0.0.1:${port}`, { will, reconnectPeriod: 0 });
  client.on('error', () => {});
  const tell = (topic: string, fields: Fields) => client.publishAsync(topic, JSON.stringify(fields), { qos: 1 });
  const result = (fields: Fields) => tell(`${stat}/RESULT`, fields);

  let sensed: Fields | undefined;

  async function state(more: Fields = {}): Promise<void> {
    const wifi = { AP: 1, SSId: 'plant', RSSI: 92, Signal: -54, LinkCount: 1, Downtime: '0T00:00:03' };
    await tell(`${tele}/STATE`, { Time: '2026-11-22T10:05:00', Uptime: '0T00:05:00', Heap: 24, ...said, ...more, Wifi: wifi });
  }

  async function sensor(fields: Fields): Promise<void> {
    sensed = fields;
    await tell(`${tele}/SENSOR`, { Time: '2026-11-22T10:05:00', ...fields });
  }

  async function press(name: string, word: string): Promise<void> {
    said[name] = word;
    await result({ [name]: word });
    await client.publishAsync(`${stat}/${name}`, word, { qos: 1 });
  }

  async function obey(command: string, payload: string): Promise<void> {
    const number = /\d+$/.exec(command)?.[0] ?? '';
    const what = command.toUpperCase().replace(/\d+$/, '');
    // A single relay has no number in its answers, however it is called.
    const name = `POWER${'POWER' in said ? '' : number}`;
    if (what === 'POWER' && name in said) return press(name, payload);
    if (what === 'DIMMER' || what === 'CT') {
      said[what === 'CT' ? 'CT' : 'Dimmer'] = Number(payload);
      said.POWER = 'ON';
      return void (await result({ ...said, Color: '4F00', White: said.Dimmer, Channel: [31, 0] }));
    }
    if (what === 'SHUTTERPOSITION') {
      const from = (said[`Shutter${number}`] as { Position: number }).Position;
      const goal = { OPEN: 100, CLOSE: 0, STOP: from }[payload] ?? Number(payload);
      await result({ [`Shutter${number}`]: shutterAt(Math.round((from + goal) / 2), goal > from ? 1 : -1, goal) });
      said[`Shutter${number}`] = shutterAt(goal);
      return void (await result({ [`Shutter${number}`]: said[`Shutter${number}`] }));
    }
    // Without a number it is asked for, and the next telemetry is due.
    if (what === 'TELEPERIOD' && payload === '') {
      await result({ TelePeriod: 300 });
      await state();
      if (sensed) await sensor(sensed);
      return;
    }
    await result({ Command: 'Unknown' });
  }

  client.on('message', (topic, payload) => {
    const command = topic.slice(cmnd.length + 1);
    commands.push({ command, payload: payload.toString() });
    void obey(command, payload.toString());
  });
  await client.publishAsync(`${tele}/LWT`, 'Online', { qos: 1, retain: true });
  await client.subscribeAsync(`${cmnd}/#`);
  return {
    commands,
    press,
    state,
    sensor,
    die: async () => {
      client.stream.destroy();
      await new Promise<void>((resolve) => client.end(true, () => resolve()));
    },
    leave: () => client.endAsync(),
  };
}
