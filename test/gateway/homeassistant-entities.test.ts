/** What becomes of the kinds of entities that Home Assistant discovery knows, in a gateway at a broker. */
import { describe, expect, it } from 'vitest';
import { announcingPlant, says, set, there } from './announcing-plant.ts';
import { states } from './discovered-plant.ts';
import { body, until, user } from './rig.ts';

const { publish, running, wasSent } = announcingPlant();
const announce = (entities: Record<string, Record<string, unknown>>, device: string) =>
  publish(
    Object.fromEntries(
      Object.entries(entities).map(([topic, words]) => [`homeassistant/${topic}/config`, { device: { identifiers: [device] }, ...words }]),
    ),
  );

describe('thermostats', () => {
  it('of Zigbee2MQTT say in words what they do', async () => {
    const topic = 'zigbee2mqtt/Radiator';
    await announce(
      {
        'climate/0x0c43/climate': {
          action_topic: topic,
          action_template:
            "{% set values = {None:None,'idle':'idle','heat':'heating','cool':'cooling','fan_only':'fan'} %}{{ values[value_json[\"running_state\"]] }}",
          current_temperature_topic: topic,
          current_temperature_template: '{{ value_json["local_temperature"] }}',
          temperature_state_topic: topic,
          temperature_state_template: '{{ value_json["occupied_heating_setpoint"] }}',
          temperature_command_topic: `${topic}/set/occupied_heating_setpoint`,
          mode_state_topic: topic,
          mode_state_template:
            "{% set values = {'schedule':'auto','manual':'heat','pause':'off'} %}{{ values[value_json.operating_mode] }}",
          mode_command_topic: `${topic}/set`,
          mode_command_template:
            "{% set values = { 'auto':'schedule','heat':'manual','off':'pause'} %}{\"operating_mode\": \"{{ values[value] if value in values.keys() else 'pause' }}\"}",
          modes: ['off', 'heat', 'auto'],
          min_temp: '5',
          max_temp: '30',
          temp_step: 0.5,
        },
      },
      'radiator',
    );
    const { gateway } = await running();
    await there(gateway, 'radiator', 4);
    await publish({ [topic]: { running_state: 'heat', local_temperature: 19.5, occupied_heating_setpoint: 21, operating_mode: 'manual' } });
    await says(gateway, 'radiator', 'climate_action', 'heating');
    await says(gateway, 'radiator', 'climate_mode', 'heat');
    await says(gateway, 'radiator', 'climate_temperature', 21);
    await set(gateway, 'radiator', 'climate_mode', 'auto');
    await wasSent(`${topic}/set`, '{"operating_mode": "schedule"}');
    await expect(set(gateway, 'radiator', 'climate_mode', 'warm')).rejects.toThrow(/allowed are "off", "heat", "auto"/);
    expect(gateway.discoveries()[0]?.error).toBeUndefined();
    await gateway.close();
  });

  it('of Z-Wave JS UI count their modes; a command is a word, and what comes back verifies it', async () => {
    const topic = 'zwave/hall/64/0/mode';
    await announce(
      {
        'climate/hall/thermostat': {
          modes: ['off', 'heat'],
          mode_state_topic: topic,
          mode_state_template: `{{ {0: "off", 1: "heat"}[value_json.value] | default('off') }}`,
          mode_command_topic: `zwave/hall/set`,
        },
        'fan/hall/fan': {
          command_topic: 'zwave/fan/set',
          state_topic: 'zwave/fan',
          percentage_state_topic: 'zwave/fan',
          percentage_value_template: '{{ {0:0, 16: 1, 32: 2, 99: 3}[value_json.value] }}',
          percentage_command_topic: 'zwave/fan/set',
          percentage_command_template: '{{ {0:0, 1: 16, 2: 32, 3: 99}[value] }}',
          speed_range_max: 3,
        },
      },
      'hall',
    );
    const { gateway } = await running();
    await there(gateway, 'hall', 3);
    await publish({ [topic]: { value: 1 }, 'zwave/fan': { value: 32 } });
    await says(gateway, 'hall', 'thermostat_mode', 'heat');
    await says(gateway, 'hall', 'fan_percentage', 2);
    await set(gateway, 'hall', 'fan_percentage', 3);
    await wasSent('zwave/fan/set', '99');
    await expect(set(gateway, 'hall', 'fan_percentage', 4)).rejects.toThrow(/allowed is 0 to 3/);
    expect(await set(gateway, 'hall', 'fan_percentage', 1.5)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('no word for 1.5') as string,
    });
    const verified = gateway.set({ device: 'hall', point: 'thermostat_mode' }, body('off'), user);
    await wasSent('zwave/hall/set', 'off');
    await publish({ [topic]: { value: 0 } });
    expect(await verified).toMatchObject({ state: 'verified', readBack: 'off' });
    await gateway.close();
  });
});

describe('of an entity that is understood in part', () => {
  it('the rest is there, and the part is told with its topic', async () => {
    const topic = 'zigbee2mqtt/Curtain';
    await announce(
      {
        'cover/0xa1/cover': {
          command_topic: `${topic}/set`,
          state_topic: topic,
          value_template:
            '{% if "running" in value_json and value_json["running"] %} {% if value_json["position"] > 0 %} closing {% else %} opening {% endif %} {% else %} stopped {% endif %}',
          position_topic: topic,
          position_template: '{{ value_json["position"] }}',
          set_position_topic: `${topic}/set`,
          set_position_template: '{ "position": {{ position }} }',
          tilt_status_topic: topic,
          tilt_status_template: '{{ value_json["tilt"] }}',
          tilt_command_topic: `${topic}/set/tilt`,
        },
        'light/0xa1/dimmer': {
          command_topic: 'zwave/dimmer/set',
          state_topic: 'zwave/dimmer',
          state_value_template: '{{ "OFF" if value_json.value == 0 else "ON" }}',
          brightness_command_topic: 'zwave/dimmer/set',
          brightness_state_topic: 'zwave/dimmer',
          brightness_value_template: '{{ value_json.value }}',
          brightness_scale: 99,
          on_command_type: 'brightness',
        },
      },
      'curtain',
    );
    const { gateway } = await running();
    const device = await there(gateway, 'curtain', 5);
    expect(Object.fromEntries(device.points.map(({ id, access }) => [id, access]))).toEqual({
      cover_command: 'write',
      cover_position: 'read-write',
      cover_tilt: 'read-write',
      // By its brightness alone.
      dimmer: 'read',
      dimmer_brightness: 'read-write',
    });
    expect(gateway.discoveries()[0]?.error).toMatch(/cover\/0xa1\/cover\/config: cover: .*running.* is not understood/);
    await publish({ [topic]: { running: false, position: 40, tilt: 12 }, 'zwave/dimmer': { value: 50 } });
    await says(gateway, 'curtain', 'cover_position', 40);
    await says(gateway, 'curtain', 'cover_tilt', 12);
    await says(gateway, 'curtain', 'dimmer', true);
    await set(gateway, 'curtain', 'cover_position', 75);
    await wasSent(`${topic}/set`, '{ "position": 75 }');
    await set(gateway, 'curtain', 'cover_tilt', 90);
    await wasSent(`${topic}/set/tilt`, '90');
    await gateway.close();
  });
});

describe('others', () => {
  it('humidifiers, valves, boilers and alarm panels', async () => {
    await announce(
      {
        'humidifier/cellar/dryer': {
          command_topic: 'cellar/dryer/set',
          state_topic: 'cellar/dryer',
          target_humidity_command_topic: 'cellar/dryer/set/humidity',
          min_humidity: 30,
          current_humidity_topic: 'cellar/humidity',
        },
        'valve/cellar/water': { command_topic: 'cellar/water/set', state_topic: 'cellar/water', reports_position: true },
        'valve/cellar/gas': { command_topic: 'cellar/gas/set', state_topic: 'cellar/gas', payload_stop: null },
        'water_heater/cellar/boiler': { temperature_command_topic: 'cellar/boiler/set', max_temp: 60 },
        'alarm_control_panel/cellar/alarm': { state_topic: 'cellar/alarm', command_topic: 'cellar/alarm/set' },
      },
      'cellar',
    );
    const { gateway } = await running();
    const device = await there(gateway, 'cellar', 8);
    expect(device.points.map(({ id, access, write }) => [id, access, write?.min, write?.max])).toEqual([
      ['alarm', 'read', undefined, undefined],
      ['dryer', 'read-write', undefined, undefined],
      ['dryer_current_humidity', 'read', undefined, undefined],
      ['dryer_target_humidity', 'write', 30, 100],
      ['gas', 'read', undefined, undefined],
      ['gas_command', 'write', undefined, undefined],
      ['water_position', 'read-write', 0, 100],
      ['boiler_temperature', 'write', 7, 60],
    ]);
    await publish({ 'cellar/water': '35', 'cellar/alarm': 'armed_away', 'cellar/dryer': 'ON' });
    await says(gateway, 'cellar', 'water_position', 35);
    await says(gateway, 'cellar', 'alarm', 'armed_away');
    await says(gateway, 'cellar', 'dryer', true);
    await set(gateway, 'cellar', 'gas_command', 'close');
    await wasSent('cellar/gas/set', 'CLOSE');
    await gateway.close();
  });

  it('one word says that a device is there, and any other that it is gone', async () => {
    await announce(
      {
        'sensor/mill/speed': {
          state_topic: 'mill/speed',
          unit_of_measurement: 'rpm',
          availability: [{ topic: 'mill/link', value_template: "{{ 'online' if value_json.s in ['up', 'busy'] else 'offline' }}" }],
        },
      },
      'mill',
    );
    const { gateway } = await running();
    await there(gateway, 'mill', 1);
    for (const [s, wanted] of Object.entries({ up: 'online', down: 'offline', busy: 'online', 'who knows': 'offline' })) {
      await publish({ 'mill/link': { s } });
      await until(`${s} is ${wanted}`, () => states(gateway).includes(`mill ${wanted}`));
    }
    await gateway.close();
  });

  it('is silent when all that expires of it is, and what is asked by a condition is a state', async () => {
    const shed = { device: { identifiers: ['shed'] }, expire_after: 60 };
    await publish({
      'homeassistant/sensor/shed/t/config': { ...shed, state_topic: 'shed/t', unit_of_measurement: '°C', expire_after: 120 },
      'homeassistant/binary_sensor/shed/door/config': {
        ...shed,
        state_topic: 'shed/door',
        value_template: "{{ 'ON' if value_json.contact == 'open' else 'OFF' }}",
      },
    });
    const { gateway } = await running();
    const device = await there(gateway, 'shed', 2);
    expect(device.availability).toMatchObject({ staleAfter: 120_000 });
    expect(device.points.map(({ staleAfter }) => staleAfter)).toEqual([120_000, 60_000]);
    await publish({ 'shed/door': '{"contact":"open"}' });
    await says(gateway, 'shed', 'door', true);
    await publish({ 'shed/door': '{"contact":"shut"}' });
    await says(gateway, 'shed', 'door', false);
    await gateway.close();
  });

  it('a number that is compared is a state, and a condition says whether the device is there', async () => {
    await publish({
      'homeassistant/binary_sensor/pump/runs/config': {
        device: { identifiers: ['pump'] },
        state_topic: 'pump/state',
        value_template: "{{ 'ON' if value_json.current | float(0) > 0.5 else 'OFF' }}",
        availability: [{ topic: 'pump/link', value_template: "{{ 'online' if value_json.up else 'offline' }}" }],
      },
    });
    const { gateway } = await running();
    await there(gateway, 'pump', 1);
    await publish({ 'pump/link': '{"up":true}', 'pump/state': '{"current":2.4}' });
    await says(gateway, 'pump', 'runs', true);
    await until('it is online', () => states(gateway).includes('pump online'));
    await publish({ 'pump/state': '{"current":"0.1"}' });
    await says(gateway, 'pump', 'runs', false);
    await publish({ 'pump/link': '{"up":false}' });
    await until('it is offline', () => states(gateway).includes('pump offline'));
    await gateway.close();
  });

  it('a fan, a cover and a thermostat are set in what they count in themselves', async () => {
    const room = { device: { identifiers: ['room'] } };
    await publish({
      'homeassistant/fan/room/fan/config': {
        ...room,
        command_topic: 'room/fan/set',
        percentage_command_topic: 'room/fan/set/speed',
        speed_range_max: 3,
      },
      'homeassistant/cover/room/blind/config': {
        ...room,
        set_position_topic: 'room/blind/set',
        position_topic: 'room/blind',
        position_open: 255,
      },
      'homeassistant/cover/room/awning/config': { ...room, set_position_topic: 'room/awning/set' },
      'homeassistant/climate/room/stove/config': { ...room, temperature_command_topic: 'room/stove/set', temperature_unit: 'F' },
    });
    const { gateway } = await running();
    const device = await there(gateway, 'room', 5);
    expect(Object.fromEntries(device.points.map(({ id, unit, write }) => [id, [unit, write?.min, write?.max]]))).toEqual({
      fan: [undefined, undefined, undefined],
      fan_percentage: [undefined, 0, 3],
      blind_position: [undefined, 0, 255],
      awning_position: ['percent', 0, 100],
      stove_temperature: ['fahrenheit', 44.6, 95],
    });
    await set(gateway, 'room', 'blind_position', 200);
    await wasSent('room/blind/set', '200');
    await expect(set(gateway, 'room', 'fan_percentage', 50)).rejects.toThrow(/allowed is 0 to 3/);
    await expect(set(gateway, 'room', 'stove_temperature', 20)).rejects.toThrow(/allowed is 44.6 to 95/);
  });

  it('an "off_delay" is told, and the sensor is there with what it says', async () => {
    const device = { ids: 'pir' };
    await publish({ 'homeassistant/binary_sensor/pir/motion/config': { dev: device, stat_t: 'pir/motion', off_dly: 30 } });
    const { gateway } = await running();
    await there(gateway, 'pir', 1);
    await publish({ 'pir/motion': 'ON' });
    await says(gateway, 'pir', 'motion', true);
    expect(gateway.discoveries()[0]?.error).toMatch(/pir\/motion\/config: motion: its "off_delay" is not applied/);
  });
});
