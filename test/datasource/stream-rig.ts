/** What tests of live queries share: a bench, the history of a query, and a stream that is ended after the test. */
import { type Bench, clock, device, openBench } from './query-fixture.ts';

export const devices = () => [
  device('boiler', { flow_temp: { unit: 'celsius' }, pump: {}, mode: {}, energy: {} }, { site: 'north' }, 'Boiler'),
  device('tank', { level: {} }),
];
export const query = (more: Record<string, unknown> = {}) => ({ queryType: 'telemetry', devices: ['*'], live: true, ...more });

export const cleanups: (() => Promise<unknown>)[] = [];

/** After each test. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0)) await cleanup();
}

export function open(): Bench {
  const bench = openBench(devices());
  cleanups.push(() => bench.close());
  return bench;
}

/** The history of a live query and the path of its channel. */
export async function history(bench: Bench, more: Record<string, unknown> = {}, range: { fromMs?: number; toMs?: number } = {}) {
  const [frame, other] = await bench.frames(query(more), range);
  if (!frame || other) throw new Error('a live answer is one frame');
  const channel = (frame.meta as { channel?: string }).channel ?? '';
  return { frame, channel, path: channel.replace('ds/abc/', '') };
}

interface Running {
  /** Resolves when `run` has ended, with how long after the abort, in milliseconds. */
  stop(): Promise<number>;
  done: Promise<void>;
}

export function run(bench: Bench, path: string, send: (packet: Uint8Array) => Promise<void>): Running {
  const cancel = new AbortController();
  const running: Running = {
    done: bench.streams.run(bench.instance, path, send, cancel.signal),
    async stop() {
      const began = performance.now();
      cancel.abort();
      await running.done;
      return performance.now() - began;
    },
  };
  running.done.catch(() => undefined);
  cleanups.unshift(() => (cancel.signal.aborted ? Promise.resolve() : running.stop()));
  return running;
}

export async function until(what: () => boolean, withinMs = 8_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await clock.sleep(5);
  }
}

export async function initialOf(bench: Bench, path: string): Promise<Uint8Array> {
  const answer = await bench.streams.subscribe(bench.instance, path);
  if (answer.status !== 'ok') throw new Error(answer.status);
  return answer.initial;
}
