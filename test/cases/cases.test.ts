/** Plays every folder beside this file: see README.md. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { executablePath } from '../../console/launch.ts';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { ask, collect, launch, type Message, type Plugin, protocol, root, stopAll } from '../wire/plugin.ts';

interface Case {
  bug: string;
  settings: Message;
  steps: Step[];
}
/** One of `publish`, `health`, `query` and `request`. */
interface Step {
  publish?: string;
  lines?: string[];
  times?: number;
  health?: string;
  query?: Message;
  request?: string;
  body?: unknown;
  type?: string;
  /** Lines after the body, `{i}` counting from 0. */
  more?: { line: string; times: number };
  role?: string | null;
  status?: unknown;
  rows?: number;
  fields?: string[];
  says?: string;
}

const executable = executablePath(join(root, 'dist/fieldgate-iot-datasource'));
const names = readdirSync(import.meta.dirname).filter((name) => !name.includes('.'));
/** A step that does not hold after this long is what the case fails with. */
const stepTimeoutMs = 10_000;

let broker: Mosquitto;
beforeAll(async () => {
  broker = await startMosquitto();
});
afterEach(stopAll);
afterAll(() => broker.close());

it.each(names)('%s', async (name) => {
  const program = join(import.meta.dirname, name, 'case.mjs');
  if (existsSync(program)) return ((await import(program)) as { run(root: string): void | Promise<void> }).run(root);
  const text = readFileSync(join(import.meta.dirname, name, 'case.json'), 'utf8').replaceAll('{mqtt}', String(broker.port));
  const { settings, steps } = JSON.parse(text) as Case;
  const plugin = await launch([executable]);
  for (const step of steps) {
    if (step.publish !== undefined) await publish(step);
    else await expect.poll(() => does(plugin, settings, step), { timeout: stepTimeoutMs, interval: 100 }).toMatchObject(wanted(step));
  }
});

/** All of them on one connection, as fast as the broker takes them. */
async function publish({ publish: topic = '', lines = [], times = 1 }: Step): Promise<void> {
  const sent = promisify(execFile)('mosquitto_pub', ['-h', '127.0.0.1', '-p', String(broker.port), '-t', topic, '-q', '1', '-l']);
  sent.child.stdin?.end(Array.from({ length: times }, () => `${lines.join('\n')}\n`).join(''));
  await sent;
}

function wanted({ status, rows, fields }: Step) {
  return { status, says: true, ...(rows === undefined ? {} : { rows }), ...(fields === undefined ? {} : { fields }) };
}

async function does(plugin: Plugin, settings: Message, step: Step) {
  const pluginContext = contextOf(settings, step.role);
  if (step.health !== undefined) {
    const { status, message } = await ask(plugin.client(protocol.pluginv2.Diagnostics), 'CheckHealth', { pluginContext });
    return { status, says: new RegExp(step.health).test(String(message)) || message };
  }
  if (step.query !== undefined) {
    const timeRange = { fromEpochMS: Date.now() - 60_000, toEpochMS: Date.now() + 1_000 };
    const query = { refId: 'A', maxDataPoints: 1_000, intervalMS: 1_000, timeRange, json: Buffer.from(JSON.stringify(step.query)) };
    const answer = await ask(plugin.client(protocol.pluginv2.Data), 'QueryData', { pluginContext, queries: [query] });
    const { status, frames } = (answer.responses as Record<string, { status: number; frames: Uint8Array[] }>).A ?? {
      status: 0,
      frames: [],
    };
    const table = tableFromIPC(frames[0] ?? new Uint8Array());
    const meta = table.schema.metadata.get('meta') ?? '';
    return {
      status,
      says: new RegExp(step.says ?? '').test(meta) || meta,
      rows: table.numRows,
      fields: table.schema.fields.map((field) => field.name),
    };
  }
  const [method = '', url = ''] = (step.request ?? '').split(' ');
  const headers = { 'Content-Type': { values: [step.type ?? 'application/json'] } };
  const text = step.body === undefined ? '' : step.type === undefined ? JSON.stringify(step.body) : String(step.body);
  const { line = '', times = 0 } = step.more ?? {};
  const body = Buffer.from(text + Array.from({ length: times }, (_, i) => `${line.replaceAll('{i}', String(i))}\n`).join(''));
  const call = plugin.client(protocol.pluginv2.Resource).CallResource?.({
    pluginContext,
    method,
    url,
    path: url.split('?')[0],
    headers,
    body,
  });
  const parts = await collect(call as AsyncIterable<Message>);
  const said = Buffer.concat(parts.map((part) => part.body as Uint8Array)).toString();
  return { status: parts[0]?.code, says: new RegExp(step.says ?? '').test(said) || said };
}

function contextOf(settings: Message, role: string | null | undefined): Message {
  return {
    orgId: 1,
    pluginId: 'fieldgate-iot-datasource',
    ...(role === null ? {} : { user: { login: 'somebody', name: 'Somebody', email: '', role: role ?? 'Admin' } }),
    dataSourceInstanceSettings: { id: 1, uid: 'case', name: 'case', jsonData: Buffer.from(JSON.stringify(settings)), lastUpdatedMS: 1 },
  };
}
