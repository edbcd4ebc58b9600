/**
 * What Zigbee2MQTT, Tasmota and ESPHome publish for Home Assistant, as their public documentation and their users' reports show it: topic → payload,
 * retained. None of it is ours.
 */
type Published = Record<string, Record<string, unknown> | string>;

const z2m = {
  availability: [
    { topic: 'zigbee2mqtt/bridge/state', value_template: '{{ value_json.state }}' },
    { topic: 'zigbee2mqtt/Kitchen plug/availability', value_template: '{{ value_json.state }}' },
  ],
  availability_mode: 'all',
  device: {
    identifiers: ['zigbee2mqtt_0x0017880104e45542'],
    manufacturer: 'Innr',
    model: 'Smart plug (SP 120)',
    name: 'Kitchen plug',
    sw_version: '2.0',
    via_device: 'zigbee2mqtt_bridge_0x00124b0021cc',
  },
  origin: { name: 'Zigbee2MQTT', sw: '1.42.0', url: 'https://www.zigbee2mqtt.io' },
};
const plug = 'zigbee2mqtt/Kitchen plug';
const sensor = (property: string, more: Record<string, unknown>) => ({
  ...z2m,
  enabled_by_default: true,
  object_id: `kitchen_plug_${property}`,
  state_class: 'measurement',
  state_topic: plug,
  unique_id: `0x0017880104e45542_${property}_zigbee2mqtt`,
  value_template: `{{ value_json.${property} }}`,
  ...more,
});

export const zigbee2mqtt: Published = {
  'homeassistant/switch/0x0017880104e45542/switch/config': {
    ...z2m,
    command_topic: `${plug}/set`,
    name: null,
    object_id: 'kitchen_plug',
    payload_off: 'OFF',
    payload_on: 'ON',
    state_topic: plug,
    unique_id: '0x0017880104e45542_switch_zigbee2mqtt',
    value_template: '{{ value_json.state }}',
  },
  'homeassistant/sensor/0x0017880104e45542/power/config': sensor('power', { device_class: 'power', unit_of_measurement: 'W' }),
  'homeassistant/sensor/0x0017880104e45542/energy/config': sensor('energy', {
    device_class: 'energy',
    state_class: 'total_increasing',
    unit_of_measurement: 'kWh',
  }),
  'homeassistant/sensor/0x0017880104e45542/linkquality/config': sensor('linkquality', {
    enabled_by_default: false,
    entity_category: 'diagnostic',
    icon: 'mdi:signal',
    name: 'Linkquality',
    unit_of_measurement: 'lqi',
  }),
  'homeassistant/binary_sensor/0x0017880104e45542/overload/config': {
    ...z2m,
    name: 'Overload',
    payload_off: false,
    payload_on: true,
    state_topic: plug,
    value_template: '{{ value_json.overload }}',
    device_class: 'problem',
  },
  'homeassistant/select/0x0017880104e45542/power_on_behavior/config': {
    ...z2m,
    command_topic: `${plug}/set/power_on_behavior`,
    name: 'Power-on behavior',
    options: ['off', 'previous', 'on'],
    state_topic: plug,
    value_template: '{{ value_json.power_on_behavior }}',
  },
  'homeassistant/number/0x0017880104e45542/countdown/config': {
    ...z2m,
    command_topic: `${plug}/set/countdown`,
    max: 43200,
    min: 0,
    name: 'Countdown',
    state_topic: plug,
    step: 1,
    unit_of_measurement: 's',
    value_template: '{{ value_json.countdown }}',
  },
  'homeassistant/update/0x0017880104e45542/update/config': {
    ...z2m,
    state_topic: plug,
    command_topic: 'zigbee2mqtt/bridge/request/device/ota_update/update',
    value_template: '{"installed_version":"{{ value_json[\'update\'][\'installed_version\'] }}"}',
  },
  'homeassistant/device_automation/0x0017880104e45542/action_single/config': {
    automation_type: 'trigger',
    device: z2m.device,
    payload: 'single',
    topic: `${plug}/action`,
    type: 'action',
  },
  'homeassistant/sensor/0x0017880104e45542/last_seen/config': sensor('last_seen', {
    state_class: undefined,
    value_template: '{{ (value_json.last_seen | as_datetime).isoformat() }}',
  }),
  'homeassistant/light/0x00158d000a/light/config': {
    availability: [{ topic: 'zigbee2mqtt/bridge/state', value_template: '{{ value_json.state }}' }],
    brightness: true,
    brightness_scale: 254,
    command_topic: 'zigbee2mqtt/Lamp/set',
    device: { identifiers: ['zigbee2mqtt_0x00158d000a'], name: 'Lamp' },
    name: null,
    schema: 'json',
    state_topic: 'zigbee2mqtt/Lamp',
    supported_color_modes: ['color_temp'],
    unique_id: '0x00158d000a_light_zigbee2mqtt',
  },
};

const tasmotaDevice = { ids: ['35EBF6'] };
export const tasmota: Published = {
  'homeassistant/switch/35EBF6_RL_1/config': {
    name: 'Washer',
    stat_t: '~/tele/STATE',
    avty_t: '~/tele/LWT',
    pl_avail: 'Online',
    pl_not_avail: 'Offline',
    cmd_t: '~/cmnd/POWER',
    val_tpl: '{{value_json.POWER}}',
    pl_off: 'OFF',
    pl_on: 'ON',
    uniq_id: '35EBF6_RL_1',
    dev: { ids: ['35EBF6'], name: 'Washer', mdl: 'Gosund SP1', sw: '8.5.1(tasmota)', mf: 'Tasmota' },
    '~': 'washer',
  },
  'homeassistant/sensor/35EBF6_ENERGY_Power/config': {
    name: 'Washer ENERGY Power',
    stat_t: 'washer/tele/SENSOR',
    avty_t: 'washer/tele/LWT',
    pl_avail: 'Online',
    pl_not_avail: 'Offline',
    uniq_id: '35EBF6_ENERGY_Power',
    dev: tasmotaDevice,
    unit_of_meas: 'W',
    dev_cla: 'power',
    frc_upd: true,
    val_tpl: "{{value_json['ENERGY']['Power']}}",
  },
  'homeassistant/sensor/35EBF6_DS18B20-1_Temperature/config': {
    name: 'Washer DS18B20-1 Temperature',
    stat_t: 'washer/tele/SENSOR',
    avty_t: 'washer/tele/LWT',
    pl_avail: 'Online',
    pl_not_avail: 'Offline',
    uniq_id: '35EBF6_DS18B20-1_Temperature',
    dev: tasmotaDevice,
    unit_of_meas: '°C',
    dev_cla: 'temperature',
    val_tpl: "{{value_json['DS18B20-1'].Temperature | float | round(1)}}",
  },
};

const espDevice = { ids: 'a4cf12f03d2c', name: 'greenhouse', sw: 'esphome v2024.6.1', mdl: 'nodemcuv2', mf: 'Espressif', sa: 'Garden' };
const esp = { avty_t: 'greenhouse/status', dev: espDevice };
export const esphome: Published = {
  'homeassistant/sensor/greenhouse/air_temperature/config': {
    ...esp,
    dev_cla: 'temperature',
    unit_of_meas: '°C',
    stat_cla: 'measurement',
    name: 'Air Temperature',
    stat_t: 'greenhouse/sensor/air_temperature/state',
    uniq_id: 'ESPsensorair_temperature',
  },
  'homeassistant/binary_sensor/greenhouse/door/config': {
    ...esp,
    dev_cla: 'door',
    name: 'Door',
    stat_t: 'greenhouse/binary_sensor/door/state',
    uniq_id: 'ESPbinary_sensordoor',
  },
  'homeassistant/switch/greenhouse/pump/config': {
    ...esp,
    name: 'Pump',
    stat_t: 'greenhouse/switch/pump/state',
    cmd_t: 'greenhouse/switch/pump/command',
    uniq_id: 'ESPswitchpump',
  },
  'homeassistant/number/greenhouse/target/config': {
    ...esp,
    min: 5,
    max: 30,
    step: 0.5,
    unit_of_meas: '°C',
    name: 'Target',
    stat_t: 'greenhouse/number/target/state',
    cmd_t: 'greenhouse/number/target/command',
    uniq_id: 'ESPnumbertarget',
  },
  'homeassistant/button/greenhouse/restart/config': {
    ...esp,
    dev_cla: 'restart',
    name: 'Restart',
    cmd_t: 'greenhouse/button/restart/command',
    uniq_id: 'ESPbuttonrestart',
  },
  'homeassistant/sensor/greenhouse/ip/config': {
    ...esp,
    name: 'IP',
    stat_t: 'greenhouse/sensor/ip/state',
    uniq_id: 'ESPsensorip',
    ent_cat: 'diagnostic',
  },
};

/** One message for a whole device, as newer programs publish it. */
export const wholeDevice: Published = {
  'homeassistant/device/ea334450945afc/config': {
    dev: { ids: 'ea334450945afc', name: 'Meter' },
    o: { name: 'bla2mqtt', sw: '2.1' },
    cmps: {
      flow: { p: 'sensor', unit_of_measurement: 'L', value_template: '{{ value_json.flow / 1000 }}', unique_id: 'm_flow' },
      level: {
        p: 'sensor',
        unit_of_measurement: '%',
        value_template: '{{ (value_json.level | float * 0.5 + 10) | round(2) }}',
        unique_id: 'm_level',
      },
      gone: { p: 'sensor' },
    },
    state_topic: 'meter/state',
    qos: 1,
  },
};
