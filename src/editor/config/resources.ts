/** The data source's own routes (`/api/datasources/uid/<uid>/resources/…`) as the editor asks them, and what goes wrong in words. */
import { config, getBackendSrv } from '@grafana/runtime';
import { lastValueFrom } from 'rxjs';
import type { PointNow } from '../reading.ts';
import type { DriverSchemas, Schema } from './schema.ts';
import { texts } from './texts.ts';

export interface ConfigFault {
  severity: 'error' | 'warning';
  place: string;
  message: string;
}
export interface Check {
  ok: boolean;
  faults: ConfigFault[];
  runs: { connections: number; devices: number; points: number };
}
export interface ConnectionState {
  id: string;
  kind: string;
  state: 'connecting' | 'up' | 'down' | 'stopped';
  since: number;
  error?: string;
}
export interface DeviceState {
  id: string;
  connection: string;
  state: 'online' | 'offline' | 'unknown';
  since?: number;
  error?: string;
}
export interface Profile {
  id: string;
  title: string;
  builtIn: boolean;
  kind?: string;
  manufacturer?: string;
  models?: string[];
  notes?: string;
  image?: string;
  points: { id?: string; title?: string; unit?: string; access?: string; address?: unknown }[];
  commands: { id?: string; title?: string }[];
}
export interface Finding {
  id: string;
  kind: string;
  text: string;
  values: Record<string, string | number | boolean | null>;
  score?: number;
  proposes?: { connection?: Record<string, unknown>; devices?: Record<string, unknown>[]; points?: Record<string, unknown>[] };
}
export type SurveyLine =
  | { event: 'begin'; session: string; secrets: string; detail?: string }
  | { event: 'progress'; done: number; total?: number; text: string }
  | ({ event: 'finding' } & Finding)
  | { event: 'heartbeat' }
  | { event: 'end'; state: string; detail: string; findings: number; dropped: number };

/** What a request answered instead of what was asked for; `message` is a sentence for people. */
export class Refused extends Error {
  readonly status: number;
  readonly faults: ConfigFault[];
  constructor(message: string, status: number, faults: ConfigFault[] = []) {
    super(message);
    this.status = status;
    this.faults = faults;
  }
}

export class Resources {
  readonly #base: string;
  constructor(uid: string) {
    this.#base = `/api/datasources/uid/${encodeURIComponent(uid)}/resources`;
  }

  drivers = async (): Promise<DriverSchemas[]> => ((await this.#ask('drivers')) as { drivers: DriverSchemas[] }).drivers;
  schema = async (): Promise<Schema> => (await this.#ask('schema')) as Schema;
  profiles = async (): Promise<Profile[]> => ((await this.#ask('profiles')) as { profiles: Profile[] }).profiles;
  connections = async (): Promise<ConnectionState[]> =>
    ((await this.#ask('connections')) as { connections: ConnectionState[] }).connections;
  devices = async (): Promise<DeviceState[]> => ((await this.#ask('devices')) as { devices: DeviceState[] }).devices;
  points = async (device: string): Promise<PointNow[]> =>
    ((await this.#ask(`devices/${encodeURIComponent(device)}/points`)) as { points: PointNow[] }).points;
  check = async (document: unknown): Promise<Check> => (await this.#ask('config/check', document)) as Check;

  imageUrl(path: string): string {
    return `${config.appSubUrl ?? ''}${this.#base}/${path}`;
  }

  async #ask(path: string, body?: unknown): Promise<unknown> {
    const url = `${this.#base}/${path}`;
    const request = body === undefined ? { url } : { url, method: 'POST', data: body };
    try {
      const answer = await lastValueFrom(getBackendSrv().fetch<unknown>({ ...request, showErrorAlert: false }));
      return answer.data;
    } catch (error) {
      const { status, data, statusText } = error as { status?: number; data?: unknown; statusText?: string };
      throw refusedOf(status ?? 0, data, statusText);
    }
  }

  /** A probe or a scan, line by line, until it ends or the signal is aborted. Grafana's own request service would hold the answer until it is whole. */
  async *survey(connection: string, kind: 'probe' | 'scan', body: object, signal: AbortSignal): AsyncGenerator<SurveyLine> {
    const url = `${config.appSubUrl ?? ''}${this.#base}/connections/${encodeURIComponent(connection)}/${kind}`;
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal, credentials: 'same-origin' });
    if (!response.ok || !response.body) throw refusedOf(response.status, parsed(await response.text()), response.statusText);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = `${rest}${value}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as SurveyLine;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Our own problem documents say it best; Grafana's own answers are put into words by their status. */
function refusedOf(status: number, data: unknown, statusText?: string): Refused {
  const { detail, message, faults } = (data ?? {}) as { detail?: string; message?: string; faults?: { place: string; message: string }[] };
  const listed = (faults ?? []).map(({ place, message: text }): ConfigFault => ({ severity: 'error', place, message: text }));
  if (detail !== undefined) return new Refused(detail, status, listed);
  const said = message ?? statusText ?? '';
  if (status === 0) return new Refused(texts.silentGrafana, status);
  if (status === 401) return new Refused(texts.signedOut, status);
  if (status === 403) return new Refused(texts.notAdmin(said), status);
  if (status === 404) return new Refused(texts.noBackend, status);
  if (status >= 500) return new Refused(texts.silentBackend(status, said), status);
  return new Refused(said || texts.grafanaAnswered(status), status);
}
