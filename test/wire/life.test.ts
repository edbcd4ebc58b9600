import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import { watchHost } from '../../src/wire/host.ts';
import {
  ask,
  collect,
  failure,
  hostEnv,
  launch,
  type Message,
  minimalMain,
  node,
  type Plugin,
  protocol,
  root,
  stopAll,
  until,
} from './plugin.ts';

afterEach(stopAll);

async function endedWithin(plugin: Plugin, ms: number): Promise<number | null> {
  const startMs = performance.now();
  const { code } = await plugin.exited;
  expect(performance.now() - startMs).toBeLessThan(ms);
  expect(existsSync(dirname(plugin.fields[3] ?? '')), 'the folder of the socket').toBe(false);
  return code;
}

/** Opens the two streams a go-plugin host keeps open. */
function holdStreams(plugin: Plugin): { errors: unknown[]; cancel(): unknown } {
  const errors: unknown[] = [];
  const streams = [plugin.client(protocol.plugin.GRPCStdio).StreamStdio?.({}), plugin.client(protocol.plugin.GRPCBroker).StartStream?.()];
  for (const stream of streams) {
    stream?.on('error', (error) => errors.push(error));
    stream?.on('end', () => errors.push('ended'));
    stream?.resume();
  }
  return { errors, cancel: () => streams.map((stream) => stream?.cancel()) };
}

describe('the end', () => {
  it('comes after an answered Shutdown, in order, with the streams open until then', async () => {
    const plugin = await launch();
    const { errors } = holdStreams(plugin);
    const live = collect(plugin.client(protocol.pluginv2.Stream).RunStream?.({ path: 'live/1' }) as AsyncIterable<Message>);
    const end = failure(live);
    await new Promise((next) => setTimeout(next, 200));
    expect(errors).toEqual([]);
    expect(await ask(plugin.client(protocol.plugin.GRPCController), 'Shutdown')).toEqual({});
    expect(await endedWithin(plugin, 1_000)).toBe(0);
    // An open live stream fails, so that Grafana opens it again.
    expect(await end).toBeInstanceOf(Error);
    expect(plugin.log().at(-1)).toMatchObject({ '@message': 'closed' });
  });

  it('comes with SIGTERM, but not with the Ctrl-C or the closed window of a terminal', async () => {
    const plugin = await launch();
    plugin.process.kill('SIGINT');
    plugin.process.kill('SIGHUP');
    await new Promise((next) => setTimeout(next, 300));
    expect(await ask(plugin.client(protocol.grpc.health.v1.Health), 'Check', { service: 'plugin' })).toEqual({ status: 'SERVING' });
    plugin.process.kill('SIGTERM');
    expect(await endedWithin(plugin, 1_000)).toBe(0);
  });

  it('comes when the host has hung up without a word', async () => {
    const plugin = await launch();
    const held = holdStreams(plugin);
    await new Promise((next) => setTimeout(next, 200));
    held.cancel();
    expect(await endedWithin(plugin, 2_000)).toBe(0);
  });

  it('comes by itself when the host was killed', async () => {
    const host = spawn(node, [join(root, 'test/wire/short-lived-host.ts'), JSON.stringify(minimalMain), JSON.stringify(hostEnv)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void host.kill('SIGKILL'));
    let told = '';
    host.stdout.on('data', (bytes) => (told += String(bytes)));
    await until(() => told.includes('\n'));
    const { pid, folder } = JSON.parse(told) as { pid: number; folder: string };
    expect(alive(pid)).toBe(true);
    host.kill('SIGKILL');
    await until(() => !alive(pid), 15_000);
    expect(existsSync(folder)).toBe(false);
  });
});

/** A process that has ended stays in the table as a zombie until its new parent, the machine's first process, cares to look. */
function alive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** Time that passes when told to. */
function heldClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0;
  let waiting: { atMs: number; run: () => void }[] = [];
  return {
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      const entry = { atMs: nowMs + delayMs, run };
      waiting.push(entry);
      return () => (waiting = waiting.filter((other) => other !== entry));
    },
    sleep: () => Promise.resolve(),
    pass(ms) {
      const endMs = nowMs + ms;
      for (let due = next(endMs); due; due = next(endMs)) {
        nowMs = due.atMs;
        due.run();
      }
      nowMs = endMs;
    },
  };

  function next(endMs: number) {
    const due = waiting.filter(({ atMs }) => atMs <= endMs).sort((one, other) => one.atMs - other.atMs)[0];
    waiting = waiting.filter((entry) => entry !== due);
    return due;
  }
}

/** The reason if it has ended by now. */
const reasonOf = (ended: Promise<string>) => Promise.race([ended, Promise.resolve(undefined)]);

describe('the watch over the host', () => {
  it('ends when another process becomes the parent', async () => {
    const clock = heldClock();
    let parent = 100;
    const watch = watchHost(clock, () => parent);
    clock.pass(limits.hostLookMs * 3);
    expect(await reasonOf(watch.ended)).toBeUndefined();
    parent = 1;
    clock.pass(limits.hostLookMs);
    expect(await reasonOf(watch.ended)).toBe('the host process is gone');
  });

  it('ends when nobody ever connects, later than go-plugin would have given up', async () => {
    const clock = heldClock();
    const watch = watchHost(clock, () => 100);
    clock.pass(60_000);
    expect(await reasonOf(watch.ended)).toBeUndefined();
    clock.pass(limits.hostFirstContactMs - 60_000);
    expect(await reasonOf(watch.ended)).toBe('no host has connected');

    const visited = watchHost(clock, () => 100);
    visited.contacted();
    clock.pass(limits.hostFirstContactMs * 10);
    expect(await reasonOf(visited.ended), 'somebody has called, if not a host').toBeUndefined();
  });

  it('lets a host come again that lost its connection for a moment', async () => {
    const clock = heldClock();
    const watch = watchHost(clock, () => 100);
    watch.arrived();
    watch.arrived();
    clock.pass(1_000_000);
    watch.left();
    clock.pass(limits.hostGraceMs * 2);
    expect(await reasonOf(watch.ended), 'one stream is still open').toBeUndefined();
    watch.left();
    clock.pass(limits.hostGraceMs - 1);
    watch.arrived();
    clock.pass(limits.hostGraceMs * 2);
    expect(await reasonOf(watch.ended), 'it came again').toBeUndefined();
    watch.left();
    clock.pass(limits.hostGraceMs);
    expect(await reasonOf(watch.ended)).toBe('the host has closed its connection');
  });
});
