/** The plugin's own section of grafana.ini, `[plugin.fieldgate-iot-datasource]`: Grafana hands `key = value` over as `GF_PLUGIN_KEY` (facts/grafana.md §1.3). */
import { formatDurationMs, parseDurationMs } from '../contract/duration.ts';
import { limits } from '../contract/limits.ts';

export interface Section {
  /** Encrypts remembered secrets; absent: a key file beside the data does. */
  stateKey?: string;
  /** How long an instance runs on that Grafana does not name any more. */
  resumeForMs: number;
  /** False makes a replica: it answers from its own history, opens no connection and sends no command. */
  active: boolean;
  /** The folder of files that settings may `include`. */
  configPath?: string;
  /** What is wrong with it, in words for health; no value of `state_key` is in them. */
  faults: string[];
}

const yes = new Set(['true', '1', 'yes', 'on', '']);
const no = new Set(['false', '0', 'no', 'off']);

/** Never throws: what cannot be read is in `faults`, and the choice that does no harm holds. `data_path` is the store's to read. */
export function readSection(env: NodeJS.ProcessEnv): Section {
  const faults: string[] = [];
  const read = (name: string) => env[`GF_PLUGIN_${name.toUpperCase()}`]?.trim() ?? '';

  const active = read('active').toLowerCase();
  // Two replicas on one serial line hurt more than one that says why it stands still.
  if (!yes.has(active) && !no.has(active)) faults.push(`active is ${JSON.stringify(active.slice(0, 32))}; allowed is true or false`);

  let resumeForMs: number = limits.resumeForMs;
  const resumeFor = read('resume_for');
  if (resumeFor !== '') {
    const ms = parseDurationMs(resumeFor);
    if (ms !== undefined && ms >= limits.resumeForMinMs && ms <= limits.resumeForMaxMs) resumeForMs = ms;
    else {
      const [least, most] = [limits.resumeForMinMs, limits.resumeForMaxMs].map(formatDurationMs);
      faults.push(
        `resume_for is ${JSON.stringify(resumeFor.slice(0, 32))}; allowed is a duration such as "12h" or "7d", from ${least} to ${most}`,
      );
    }
  }

  const stateKey = read('state_key');
  const usable = stateKey.length >= limits.stateKeyLengthMin;
  if (stateKey !== '' && !usable)
    faults.push(`state_key has ${stateKey.length} characters and is not used; allowed are at least ${limits.stateKeyLengthMin}`);

  const configPath = read('config_path');
  return {
    ...(usable ? { stateKey } : {}),
    resumeForMs,
    active: yes.has(active),
    ...(configPath === '' ? {} : { configPath }),
    faults,
  };
}
