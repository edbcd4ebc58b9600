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
  /** How the history of all data sources is kept; what is not said is the store's to choose. */
  history: HistorySection;
  /** What is wrong with it, in words for health; no value of `state_key` is in them. */
  faults: string[];
}

/** What of the history belongs to the machine and not to a data source. */
export interface HistorySection {
  /** What an acknowledged commit survives: the death of the process, or a power cut too. */
  durability?: 'commit' | 'power-loss';
  /** With `power-loss`: the most commits, and so waits for the medium, of a second. */
  syncsPerSecondMax?: number;
  /** On disk; the oldest samples go when there is more. */
  bytesMax?: number;
  /** Series of all data sources together. */
  seriesMax?: number;
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
    history: readHistory(read, faults),
    ...(usable ? { stateKey } : {}),
    resumeForMs,
    active: yes.has(active),
    ...(configPath === '' ? {} : { configPath }),
    faults,
  };
}

function readHistory(read: (name: string) => string, faults: string[]): HistorySection {
  const history: HistorySection = {};
  /** Takes a value that is there and can be read; else it is a fault and the store's own choice holds. */
  const take = <T>(name: string, parse: (text: string) => T | undefined, allowed: string, use: (value: T) => void) => {
    const text = read(name);
    if (text === '') return;
    const value = parse(text);
    if (value === undefined) faults.push(`${name} is ${JSON.stringify(text.slice(0, 32))}; allowed is ${allowed}`);
    else use(value);
  };
  const count = (least: number, most: number) => (text: string) =>
    /^\d{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;

  take(
    'durability',
    (text) => (text === 'commit' || text === 'power-loss' ? text : undefined),
    'commit (what is acknowledged survives the death of the process) or power-loss (it survives a power cut too)',
    (value) => {
      history.durability = value;
    },
  );
  take('syncs_per_second', count(1, limits.syncsPerSecondMax), `a whole number from 1 to ${limits.syncsPerSecondMax}`, (value) => {
    history.syncsPerSecondMax = value;
  });
  take(
    'history_size',
    (text) => {
      const bytes = parseBytes(text);
      return bytes !== undefined && bytes >= limits.historyBytesMin ? bytes : undefined;
    },
    'a size such as "500MiB" or "20GiB", at least 16MiB',
    (value) => {
      history.bytesMax = value;
    },
  );
  take('series_max', count(1, limits.seriesCeiling), `a whole number from 1 to ${limits.seriesCeiling}`, (value) => {
    history.seriesMax = value;
  });
  return history;
}

const units: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `20GiB`, `1.5 GB`: a number with a unit, because nobody reads zeros. */
function parseBytes(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([KMGT]i?B)$/.exec(text) ?? [];
  const bytes = Math.round(Number(number) * (units[unit] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
