/** A whole data source as Grafana meets it, without the wire: real drivers, gateway and history; the far ends are pymodbus and mosquitto. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drivers as known } from '../../drivers/index.ts';
import type { Caller, InstanceSettings, Role } from '../../src/contract/caller.ts';
import { type Clock, systemClock } from '../../src/contract/clock.ts';
import { type Log, silentLog } from '../../src/contract/log.ts';
import { readBuiltIn } from '../../src/datasource/built-in.ts';
import { createDatasource } from '../../src/datasource/datasource.ts';
import type { Datasource, HealthAnswer, ResourcePart } from '../../src/datasource/questions.ts';
import type { HistorySection } from '../../src/datasource/section.ts';
import { readFolder } from '../../src/executable.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export interface Asked {
  method?: string;
  role?: Role | 'nobody';
  login?: string;
  /** Becomes JSON; a string or bytes are sent as they are. */
  body?: unknown;
  /** `undefined` takes a header away. */
  headers?: Record<string, string | undefined>;
  /** False: as under `/api/plugins/<id>/resources`. */
  datasource?: boolean;
}

export interface Answered {
  status: number;
  headers: Record<string, string>;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what JSON holds is for the test to say.
  json: any;
}

/** Somebody who reads a long answer. */
export interface Reader {
  /** What came so far. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly headers: Record<string, string>;
  /** The largest piece. */
  readonly largest: number;
  /** Takes nothing any more until `resume` is called. */
  pause(): void;
  resume(): void;
  /** Resolves when `text` is as wanted; fails after 10 s. */
  until(wanted: (text: string) => boolean): Promise<void>;
  leave(): void;
  /** Resolves with what it ended with. */
  readonly ended: Promise<unknown>;
}

export interface Plant {
  readonly datasource: Datasource;
  /** Where its history is, under the name `1/plant`. */
  readonly store: Store;
  readonly folder: string;
  /** Messages of the log at level info and error. */
  readonly logged: readonly string[];
  /** Lets the clock that measures time-outs jump ahead. */
  advance(ms: number): void;
  /** Settings of the data source from the next question on. */
  save(settings: unknown, options?: { lastUpdatedMs?: number; secrets?: Record<string, string>; uid?: string }): void;
  caller(role?: Role | 'nobody', login?: string, orgId?: number): Caller;
  ask(path: string, asked?: Asked): Promise<Answered>;
  /** Opens a long answer and reads on until it ends or the reader leaves. */
  open(path: string, asked?: Asked): Reader;
  health(role?: Role): Promise<HealthAnswer>;
  /** Asks until the answer is as wanted; fails with the last answer after 10 s. */
  until(path: string, wanted: (answer: Answered) => boolean, asked?: Asked): Promise<Answered>;
  close(): Promise<void>;
}

export interface PlantOptions {
  memory?: boolean;
  drivers?: typeof known;
  time?: Clock;
  /** What the plugin's own section says of the history. */
  history?: HistorySection;
  /** The data folder, which stays; else a temporary one. */
  at?: string;
}

export async function startPlant(
  settings: unknown,
  { memory = false, drivers = known, time = systemClock, history = {}, at }: PlantOptions = {},
): Promise<Plant> {
  const folder = at ?? (await mkdtemp(join(tmpdir(), 'fieldgate-datasource-')));
  let aheadMs = 0;
  const clock: Clock = { ...time, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const logged: string[] = [];
  const log: Log = { ...silentLog, info: (message) => logged.push(message), error: (message) => logged.push(message) };
  const store = openStore({ folder: memory ? undefined : folder, clock, log: silentLog, flushIntervalMs: 20, ...history });
  const builtIn = readBuiltIn(readFolder('profiles'));
  const datasource = createDatasource({ store, drivers, builtIn, clock, random: Math.random, log, version: '0.0.0-test' });
  let instance: InstanceSettings;
  let updatedMs = 1_000;

  function call(path: string, asked: Asked, send: (part: ResourcePart) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { method = 'GET', role, login, body, headers = {}, datasource: named = true } = asked;
    const given = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
    const { instance: settingsOf, ...rest } = plant.caller(role, login);
    const request = {
      path: path.split('?')[0] ?? '',
      url: path,
      method,
      headers: new Map(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), [value]]]))),
      body:
        body instanceof Uint8Array ? body : Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)),
    } as const;
    return datasource.callResource({ ...rest, ...(named && settingsOf ? { instance: settingsOf } : {}) }, request, send, signal);
  }

  const plant: Plant = {
    datasource,
    store,
    folder,
    logged,
    advance(ms) {
      aheadMs += ms;
    },
    save(wanted, { lastUpdatedMs = ++updatedMs, secrets = {}, uid = 'plant' } = {}) {
      const jsonData = typeof wanted === 'string' ? Buffer.from(wanted) : Buffer.from(JSON.stringify(wanted));
      instance = { id: 7, uid, name: 'Plant', jsonData, secureJsonData: secrets, lastUpdatedMs };
    },
    caller(role = 'Admin', login = 'ada', orgId = 1) {
      const user = role === 'nobody' ? {} : { user: { login, name: 'Ada', email: login === 'service' ? '' : 'ada@example.org', role } };
      return { orgId, pluginId: 'fieldgate-iot-datasource', instance, ...user };
    },
    async ask(path, asked = {}) {
      const parts: ResourcePart[] = [];
      const take = (part: ResourcePart) => {
        parts.push(part);
        return Promise.resolve();
      };
      await call(path, asked, take, new AbortController().signal);
      const [first] = parts;
      if (!first) throw new Error(`${asked.method ?? 'GET'} ${path} was not answered`);
      const text = Buffer.concat(parts.map((part) => part.body)).toString();
      const json = text !== '' && /\/(problem\+)?json$/.test(first.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
      return { status: first.status, headers: first.headers, text, json };
    },
    open(path, asked = {}) {
      const leaving = new AbortController();
      const parts: Uint8Array[] = [];
      let [text, status, largest, paused] = ['', 0, 0, Promise.withResolvers<void>()];
      let headers: Record<string, string> = {};
      paused.resolve();
      const take = async (part: ResourcePart) => {
        if (status === 0) ({ status, headers } = part);
        parts.push(part.body);
        text += Buffer.from(part.body).toString();
        largest = Math.max(largest, part.body.length);
        await Promise.race([paused.promise, new Promise((_, reject) => leaving.signal.addEventListener('abort', reject))]);
      };
      const ended = call(path, asked, take, leaving.signal).catch((error: unknown) => error);
      return {
        get text() {
          return text;
        },
        get bytes() {
          return Buffer.concat(parts);
        },
        get status() {
          return status;
        },
        get headers() {
          return headers;
        },
        get largest() {
          return largest;
        },
        pause() {
          paused = Promise.withResolvers();
        },
        resume: () => paused.resolve(),
        async until(wanted) {
          const end = Date.now() + 10_000;
          while (!wanted(text)) {
            if (Date.now() > end) throw new Error(`${path} did not say what was wanted: ${text.slice(-2_000)}`);
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        },
        leave: () => leaving.abort(),
        ended,
      };
    },
    health: (role = 'Admin') => datasource.checkHealth(plant.caller(role)),
    async until(path, wanted, asked) {
      const end = Date.now() + 10_000;
      for (;;) {
        const answer = await plant.ask(path, asked);
        if (wanted(answer)) return answer;
        if (Date.now() > end) throw new Error(`${path} did not become as wanted: ${answer.text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      await datasource.close();
      await store.close();
      if (at === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
  plant.save(settings);
  return plant;
}

/** A broker lets a client id in once: the later one throws the earlier one out. */
let clients = 0;

/** Settings of a boiler behind Modbus TCP and a room behind MQTT, at ports of the tests. */
export function demoSettings(ports: { modbus: number; mqtt: number }) {
  return {
    version: 1,
    connections: [
      {
        id: 'plc',
        kind: 'modbus',
        title: 'The controller',
        transport: { type: 'tcp', host: '127.0.0.1', port: ports.modbus },
        timeout: '1s',
      },
      { id: 'broker', kind: 'mqtt', url: `mqtt://127.0.0.1:${ports.mqtt}`, clientId: `fieldgate-test-${process.pid}-${++clients}` },
    ],
    devices: [
      {
        id: 'boiler',
        title: 'Boiler',
        connection: 'plc',
        address: { unitId: 1 },
        labels: { site: 'north' },
        interval: '50ms',
        points: [
          { id: 'temp', address: { table: 'input', register: 0, type: 'int16', order: 'AB' }, scale: 0.1, unit: 'celsius' },
          { id: 'energy', address: { table: 'holding', register: 14, type: 'uint64', order: 'ABCDEFGH' } },
          { id: 'pump', address: { table: 'coil', register: 3 }, access: 'read-write', enum: { '0': 'off', '1': 'on' } },
          {
            id: 'setpoint',
            address: { table: 'holding', register: 30, type: 'int16', order: 'AB' },
            access: 'read-write',
            scale: 0.1,
            write: { min: 20, max: 90, step: 0.5, verify: { tolerance: 0.05, timeout: '1s' } },
          },
          { id: 'stubborn', address: { table: 'holding', register: 300, type: 'int16', order: 'AB' }, access: 'read-write' },
        ],
      },
      {
        id: 'room',
        connection: 'broker',
        labels: { site: 'south' },
        points: [{ id: 'temperature', address: { topic: 'home/kitchen/climate', path: '$.temperature' }, unit: 'celsius' }],
      },
    ],
    rights: { command: 'Editor' },
  };
}
