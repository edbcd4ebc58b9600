/** The keys of Home Assistant discovery that mean something here: short forms in full, and base topics put in. Bad input is an Error that says what. */

/** What small devices write short, from the public list of abbreviations; keys that mean nothing here are left as they are. */
const longForms: Readonly<Record<string, string>> = {
  act_t: 'action_topic',
  act_tpl: 'action_template',
  avty: 'availability',
  avty_mode: 'availability_mode',
  avty_t: 'availability_topic',
  avty_tpl: 'availability_template',
  bri_cmd_t: 'brightness_command_topic',
  bri_cmd_tpl: 'brightness_command_template',
  bri_scl: 'brightness_scale',
  bri_stat_t: 'brightness_state_topic',
  bri_val_tpl: 'brightness_value_template',
  clr_temp_cmd_t: 'color_temp_command_topic',
  clr_temp_cmd_tpl: 'color_temp_command_template',
  clr_temp_stat_t: 'color_temp_state_topic',
  clr_temp_val_tpl: 'color_temp_value_template',
  cmd_t: 'command_topic',
  cmd_tpl: 'command_template',
  cmps: 'components',
  curr_hum_t: 'current_humidity_topic',
  curr_hum_tpl: 'current_humidity_template',
  curr_temp_t: 'current_temperature_topic',
  curr_temp_tpl: 'current_temperature_template',
  dev: 'device',
  dev_cla: 'device_class',
  dir_cmd_t: 'direction_command_topic',
  dir_cmd_tpl: 'direction_command_template',
  dir_stat_t: 'direction_state_topic',
  dir_val_tpl: 'direction_value_template',
  e: 'encoding',
  exp_aft: 'expire_after',
  fan_mode_cmd_t: 'fan_mode_command_topic',
  fan_mode_cmd_tpl: 'fan_mode_command_template',
  fan_mode_stat_t: 'fan_mode_state_topic',
  fan_mode_stat_tpl: 'fan_mode_state_template',
  hum_cmd_t: 'target_humidity_command_topic',
  hum_cmd_tpl: 'target_humidity_command_template',
  hum_stat_t: 'target_humidity_state_topic',
  hum_stat_tpl: 'target_humidity_state_template',
  hum_state_tpl: 'target_humidity_state_template',
  max_hum: 'max_humidity',
  min_hum: 'min_humidity',
  mode_cmd_t: 'mode_command_topic',
  mode_cmd_tpl: 'mode_command_template',
  mode_stat_t: 'mode_state_topic',
  mode_stat_tpl: 'mode_state_template',
  off_dly: 'off_delay',
  on_cmd_type: 'on_command_type',
  ops: 'options',
  osc_cmd_t: 'oscillation_command_topic',
  osc_cmd_tpl: 'oscillation_command_template',
  osc_stat_t: 'oscillation_state_topic',
  osc_val_tpl: 'oscillation_value_template',
  p: 'platform',
  pct_cmd_t: 'percentage_command_topic',
  pct_cmd_tpl: 'percentage_command_template',
  pct_stat_t: 'percentage_state_topic',
  pct_val_tpl: 'percentage_value_template',
  pl_avail: 'payload_available',
  pl_cls: 'payload_close',
  pl_lock: 'payload_lock',
  pl_not_avail: 'payload_not_available',
  pl_off: 'payload_off',
  pl_on: 'payload_on',
  pl_open: 'payload_open',
  pl_osc_off: 'payload_oscillation_off',
  pl_osc_on: 'payload_oscillation_on',
  pl_prs: 'payload_press',
  pl_stop: 'payload_stop',
  pl_unlk: 'payload_unlock',
  pos_clsd: 'position_closed',
  pos_open: 'position_open',
  pos_t: 'position_topic',
  pos_tpl: 'position_template',
  pr_mode_cmd_t: 'preset_mode_command_topic',
  pr_mode_cmd_tpl: 'preset_mode_command_template',
  pr_mode_stat_t: 'preset_mode_state_topic',
  pr_mode_val_tpl: 'preset_mode_value_template',
  pr_modes: 'preset_modes',
  ret: 'retain',
  set_pos_t: 'set_position_topic',
  set_pos_tpl: 'set_position_template',
  spd_rng_max: 'speed_range_max',
  spd_rng_min: 'speed_range_min',
  stat_cla: 'state_class',
  stat_locked: 'state_locked',
  stat_off: 'state_off',
  stat_on: 'state_on',
  stat_t: 'state_topic',
  stat_unlocked: 'state_unlocked',
  stat_val_tpl: 'state_value_template',
  sug_dsp_prc: 'suggested_display_precision',
  sup_clrm: 'supported_color_modes',
  swing_mode_cmd_t: 'swing_mode_command_topic',
  swing_mode_cmd_tpl: 'swing_mode_command_template',
  swing_mode_stat_t: 'swing_mode_state_topic',
  swing_mode_stat_tpl: 'swing_mode_state_template',
  t: 'topic',
  temp_cmd_t: 'temperature_command_topic',
  temp_cmd_tpl: 'temperature_command_template',
  temp_hi_cmd_t: 'temperature_high_command_topic',
  temp_hi_cmd_tpl: 'temperature_high_command_template',
  temp_hi_stat_t: 'temperature_high_state_topic',
  temp_hi_stat_tpl: 'temperature_high_state_template',
  temp_lo_cmd_t: 'temperature_low_command_topic',
  temp_lo_cmd_tpl: 'temperature_low_command_template',
  temp_lo_stat_t: 'temperature_low_state_topic',
  temp_lo_stat_tpl: 'temperature_low_state_template',
  temp_stat_t: 'temperature_state_topic',
  temp_stat_tpl: 'temperature_state_template',
  temp_unit: 'temperature_unit',
  tilt_cmd_t: 'tilt_command_topic',
  tilt_cmd_tpl: 'tilt_command_template',
  tilt_status_t: 'tilt_status_topic',
  tilt_status_tpl: 'tilt_status_template',
  uniq_id: 'unique_id',
  unit_of_meas: 'unit_of_measurement',
  val_tpl: 'value_template',
};

const deviceLongForms: Readonly<Record<string, string>> = {
  cns: 'connections',
  ids: 'identifiers',
  mdl: 'model',
  mf: 'manufacturer',
  sa: 'suggested_area',
};

export type Words = Readonly<Record<string, unknown>>;

export const isWords = (value: unknown): value is Words => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Long keys, and `~` at the start or end of a topic replaced by the base topic. */
export function inFull(given: Words): Words {
  const base = given['~'];
  const full = expand(given, longForms);
  const topicOf = (value: unknown) => (typeof value === 'string' && typeof base === 'string' ? value.replace(/^~|~$/g, () => base) : value);
  return Object.fromEntries(
    Object.entries(full).map(([key, value]): [string, unknown] => {
      if (key.endsWith('topic')) return [key, topicOf(value)];
      if (key === 'device' && isWords(value)) return [key, expand(value, deviceLongForms)];
      if (key === 'availability') {
        const list = (Array.isArray(value) ? value : [value]).filter(isWords).map((one) => expand(one, longForms));
        return [key, list.map((one) => ({ ...one, topic: topicOf(one.topic) }))];
      }
      return [key, value];
    }),
  );
}

function expand(given: Words, forms: Readonly<Record<string, string>>): Words {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [Object.hasOwn(forms, key) ? (forms[key] ?? key) : key, value]));
}

/** A text; numbers and booleans are written as JSON does. Undefined if it is not there or empty. */
export function textOf(words: Words, key: string): string | undefined {
  const value = words[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`"${key}" is no text`);
}

export function numberOf(words: Words, key: string): number | undefined {
  const value = words[key];
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function listOf(words: Words, key: string): string[] {
  const value = words[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string' || typeof one === 'number').map(String) : [];
}
