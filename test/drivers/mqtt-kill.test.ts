/** What the broker was told to be taken over is in the history, whenever the process is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync } from 'mqtt';
import { expect, it } from 'vitest';
import { startMosquitto } from '../far/mosquitto.ts';

const soak = process.env.FIELDGATE_SOAK !== undefined;
const kills = soak ? 60 : 3;
const perRound = soak ? 5_000 : 1_500;

it.each([1, 2] as const)('kill -9 in a stream of QoS %i loses none', { timeout: soak ? 600_000 : 60_000 }, async (qos) => {
  const folder = await mkdtemp(join(tmpdir(), 'fieldgate-kill-'));
  // All that is not confirmed is kept by the broker, however much it is.
  const broker = await startMosquitto({ lines: ['max_queued_messages 0', 'max_inflight_messages 100'] });
  const settings = JSON.stringify({
    version: 1,
    connections: [{ id: 'broker', kind: 'mqtt', url: `mqtt://127.0.0.1:${broker.port}`, clean: false, clientId: 'keeper' }],
    devices: [{ id: 'counter', connection: 'broker', points: [{ id: 'n', address: { topic: 'n', qos } }] }],
  });
  const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
  let last = 0;
  let collector: ChildProcess | undefined;
  try {
    for (let round = 0; round < kills; round++) {
      const running = await collect(folder, settings);
      collector = running;
      // The broker keeps messages only from the first subscription on.
      await expect
        .poll(
          async () => {
            await device.publishAsync('n', '0', { qos: 1 });
            return ask(running);
          },
          { timeout: 20_000, interval: 50 },
        )
        .not.toBe('0 0');
      const sent = Array.from({ length: perRound }, () => device.publishAsync('n', String(++last), { qos: 1 }));
      // In the middle of the stream, each time elsewhere.
      await sent[Math.floor((perRound * (round + 1)) / (kills + 1))];
      await kill(running);
      await Promise.all(sent);
    }
    const ending = await collect(folder, settings);
    collector = ending;
    await expect.poll(() => ask(ending), { timeout: 20_000, interval: 200 }).toBe(`${last + 1} ${last}`);
  } finally {
    await kill(collector);
    await device.endAsync(true);
    await broker.close();
    await rm(folder, { recursive: true, force: true });
  }
});

async function collect(folder: string, settings: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./mqtt-collector.ts', import.meta.url));
  const child = spawn(process.execPath, [script, folder, settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin?.on('error', () => {});
  const ready = await line(child);
  if (!ready.startsWith('ready ')) throw new Error(`the collector said ${JSON.stringify(ready)}`);
  return child;
}

function ask(child: ChildProcess): Promise<string> {
  child.stdin?.write('?\n');
  return line(child);
}

function line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the collector ended')));
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
  });
}

function kill(child: ChildProcess | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
