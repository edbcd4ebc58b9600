/**
 * Subscribers in Go, for the benchmark of MQTT into history: a program of a few lines on Eclipse Paho that parses each message's JSON, and
 * Telegraf's mqtt_consumer, which does what we do with another store: it parses, hands on to an output (its own file output, into a pipe that is
 * counted), and with QoS 1 confirms what was handed on. Both are built from the Go module proxy.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { goProgram } from '../test/far/go.ts';

export interface Figures {
  heard: number;
  cpuUs: number;
  seconds: number;
}

/** `run` publishes or lets the backlog come; answers when as many were heard as were expected, or nothing came for 3 s. */
export type Subscriber = (port: number, qos: 0 | 1, expected: number, run: () => Promise<unknown>) => Promise<Figures>;

export async function until(isDone: () => boolean, whileChanging: () => unknown): Promise<void> {
  let last: unknown;
  let stillMs = 0;
  while (!isDone() && stillMs < 3_000) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = whileChanging();
    stillMs = now === last ? stillMs + 20 : 0;
    last = now;
  }
}

export async function pahoPeer(topics: number): Promise<Subscriber> {
  const program = await goProgram('paho');
  return async (port, qos, expected, run) => {
    const child = spawn(program, [port, qos, topics, expected].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => String((await lines.next()).value);
    if ((await line()) !== 'ready') throw new Error('the peer on paho did not subscribe');
    await run();
    const figures = JSON.parse(await line()) as Figures;
    if (child.exitCode === null) await once(child, 'exit');
    return figures;
  };
}

const telegrafVersion = 'v1.37.2';
/** What is built in: all else would make it ten times as large. */
const telegrafParts = 'custom,inputs.mqtt_consumer,outputs.file,parsers.json,serializers.influx';

/** Telegraf's own module and its own sums; nothing of it is ours. */
async function buildTelegraf(folder: string): Promise<string> {
  const module = `github.com/influxdata/telegraf@${telegrafVersion}`;
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { cwd: folder });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const program = join(folder, 'telegraf');
  await promisify(execFile)('go', ['build', '-tags', telegrafParts, '-o', program, './cmd/telegraf'], { cwd: Dir });
  return program;
}

/** Processor time of all its threads, in hundredths of a second (proc(5), fields 14 and 15 of stat). */
async function cpuUsOf({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export async function telegrafPeer(folder: string, topics: number): Promise<Subscriber> {
  const program = await buildTelegraf(folder);
  return async (port, qos, expected, run) => {
    const filters = Array.from({ length: topics }, (_, n) => `"bench/${n}"`).join(', ');
    const config = join(folder, 'telegraf.conf');
    await writeFile(
      config,
      `[agent]
flush_interval = "100ms"
metric_batch_size = 5000
metric_buffer_limit = 1000000
omit_hostname = true
[[inputs.mqtt_consumer]]
servers = ["tcp://127.0.0.1:${port}"]
topics = [${filters}]
qos = ${qos}
${qos === 1 ? 'persistent_session = true\nclient_id = "bench-telegraf"' : ''}
max_undelivered_messages = ${qos === 1 ? 5_000 : 100_000}
data_format = "json"
[[outputs.file]]
files = ["stdout"]
data_format = "influx"
`,
    );
    const child = spawn(program, ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    let heard = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) heard++;
    });
    const started = performance.now();
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`telegraf ended with ${code}`)));
      createInterface({ input: child.stderr }).on('line', (line) => line.includes('Connected') && resolve());
    });
    // It says that it is connected just before it subscribes.
    if (expected === 0 || qos === 0) await new Promise((resolve) => setTimeout(resolve, 500));
    await run();
    await until(
      () => heard >= expected,
      () => heard,
    );
    const seconds = (performance.now() - started) / 1_000;
    const cpuUs = await cpuUsOf(child);
    child.kill('SIGTERM');
    await once(child, 'close');
    return { heard, cpuUs, seconds };
  };
}
