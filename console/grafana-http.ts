/** Asks a running Grafana, through its HTTP API, whether all that is provisioned works. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface GrafanaAt {
  url: string;
  user: string;
  password: string;
  /** The files it was started with and writes to. */
  config: string;
  log: string;
}

/** Rules are evaluated every 10 s and must have been once; a first answer of a device takes a moment too. */
const checkTimeoutMs = 60_000;
const betweenMs = 500;

/** Resolves when Grafana answers, or with a sentence if it does not in time. */
export async function answers(at: GrafanaAt, timeoutMs: number): Promise<string> {
  const ready = await until(timeoutMs, async () => ((await ask(at, 'GET', '/api/health')) as { database?: string }).database === 'ok');
  return ready ? 'ready' : `Grafana did not answer at ${at.url} within ${timeoutMs / 1000} s`;
}

/** Prints a line a check; resolves to 0 if all hold, else 1. `sources` are the uids of the data sources. */
export async function checkGrafana(at: GrafanaAt, sources: readonly string[]): Promise<number> {
  const healthy = (uid: string) => async () => {
    const { status, message } = (await ask(at, 'GET', `/api/datasources/uid/${uid}/health`)) as { status: string; message: string };
    return status === 'OK' && message;
  };
  const checks: Record<string, () => Promise<string | false>> = {
    ...Object.fromEntries(sources.map((uid) => [`Save & test of ${uid}`, healthy(uid)])),
    'latest values': async () => {
      const rows = (await query(at, { queryType: 'latest', devices: ['*'], format: 'long' }))[0]?.data.values[0]?.length ?? 0;
      return rows > 0 && `${rows} points`;
    },
    history: async () => {
      const frames = await query(at, { queryType: 'telemetry', devices: ['boiler'], points: ['flow_temp'] });
      const samples = frames[0]?.data.values[0]?.length ?? 0;
      return samples > 1 && `${samples} samples of boiler.flow_temp`;
    },
    dashboard: async () => {
      const { dashboard } = (await ask(at, 'GET', '/api/dashboards/uid/fieldgate')) as { dashboard?: { panels: unknown[] } };
      return dashboard !== undefined && `${dashboard.panels.length} panels`;
    },
    'alert rules': async () => {
      const { data } = (await ask(at, 'GET', '/api/prometheus/grafana/api/v1/rules')) as { data: { groups: { rules: Rule[] }[] } };
      const rules = data.groups.flatMap((group) => group.rules);
      return (
        rules.length > 0 && rules.every(({ health }) => health === 'ok') && rules.map(({ name, state }) => `${name}: ${state}`).join(', ')
      );
    },
  };
  let failures = 0;
  for (const [name, check] of Object.entries(checks)) {
    let found: string | false = false;
    let fault = '';
    await until(checkTimeoutMs, async () => {
      try {
        found = await check();
      } catch (error) {
        fault = error instanceof Error ? error.message : String(error);
      }
      return found !== false;
    });
    console.log(found === false ? `${name}: not as it should be within ${checkTimeoutMs / 1000} s ${fault}` : `${name}: ${found}`);
    if (found === false) failures++;
  }
  return failures === 0 ? 0 : 1;
}

interface Rule {
  name: string;
  state: string;
  health: string;
}
interface QueryFrame {
  data: { values: unknown[][] };
}

async function query(at: GrafanaAt, fields: Record<string, unknown>): Promise<QueryFrame[]> {
  const queries = [{ refId: 'A', datasource: { uid: 'fieldgate' }, intervalMs: 1000, maxDataPoints: 1000, ...fields }];
  const body = { queries, from: 'now-5m', to: 'now' };
  const { results } = (await ask(at, 'POST', '/api/ds/query', body)) as { results: { A: { frames?: QueryFrame[] } } };
  return results.A.frames ?? [];
}

/** Parsed JSON of an answer, whatever its status; throws if there is none. */
export async function ask(at: GrafanaAt, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${at.url}${path}`, {
    method,
    headers: {
      Authorization: `Basic ${Buffer.from(`${at.user}:${at.password}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    signal: AbortSignal.timeout(checkTimeoutMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

/** True as soon as it holds; false when the time is over. A failure counts as not yet. */
async function until(timeoutMs: number, holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await holds().catch(() => false)) return true;
    await sleep(betweenMs);
  }
  return false;
}
