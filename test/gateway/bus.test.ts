/** The arbiter and the schedule, with time held still. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type Bus, type BusOutcome, createBuses, type Priority, QueueFull, UnitAside } from '../../src/gateway/bus.ts';
import { backoffMs, every, phaseMs } from '../../src/gateway/schedule.ts';
import { type ManualClock, manualClock } from './clocks.ts';

function bus(maxInFlight = 1): { bus: Bus; clock: ManualClock } {
  const clock = manualClock();
  return { bus: createBuses({ clock }).lease('tcp://far:502', maxInFlight), clock };
}

/** Jobs that end when told, in the order they were started. */
function jobs(on: Bus) {
  const started: string[] = [];
  const ends: ((answered?: boolean) => void)[] = [];
  const run = (name: string, unit: string, priority: Priority = 'poll', signal = new AbortController().signal) =>
    on.run<string>({
      unit,
      priority,
      signal,
      run: () =>
        new Promise<BusOutcome<string>>((resolve) => {
          started.push(name);
          ends.push((answered = true) => resolve({ value: name, answered }));
        }),
    });
  const end = async (answered = true) => {
    ends.shift()?.(answered);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { started, run, end };
}

describe('a bus', () => {
  it('serves commands before fresh reads before polls, and units in turn', async () => {
    const { run, end, started } = jobs(bus().bus);
    const all = [
      run('first', 'a'),
      run('a1', 'a'),
      run('a2', 'a'),
      run('b1', 'b'),
      run('fresh', 'a', 'fresh'),
      run('c1', 'c'),
      run('command', 'c', 'command'),
    ];
    for (const _ of all) await end();
    await Promise.all(all);
    expect(started).toEqual(['first', 'command', 'fresh', 'a1', 'b1', 'c1', 'a2']);
  });

  it('has at most as many requests as it takes, over all its connections', () => {
    const buses = createBuses({ clock: manualClock() });
    const [wide, narrow] = [buses.lease('x', 4), buses.lease('x', 2)];
    const one = jobs(wide);
    const other = jobs(narrow);
    void one.run('1', 'a');
    void other.run('2', 'b');
    void one.run('3', 'c');
    expect([...one.started, ...other.started]).toEqual(['1', '2']);
    narrow.release();
    expect(one.started).toEqual(['1', '3']);
    expect(buses.lease('y', 1).waiting()).toBe(0);
  });

  it('gives an endpoint that is opened once to those who agree, and to the next when they are gone', () => {
    const buses = createBuses({ clock: manualClock() });
    const lease = (connection: string, kind: string, terms: string | undefined, key = '1/a') =>
      buses.lease('/dev/ttyUSB0', 1, { key, connection, kind, terms });
    const first = lease('meters', 'modbus', '19200 baud 8E1');
    const twin = lease('more', 'modbus', '19200 baud 8E1');
    const slow = lease('slow', 'modbus', '9600 baud 8E1');
    const text = lease('uno', 'serial', '19200 baud 8E1', '2/b');
    expect([first.claim(), twin.claim(), first.claim()]).toEqual([undefined, undefined, undefined]);
    expect(slow.claim()).toBe(
      '/dev/ttyUSB0 is used by connection meters as modbus, 19200 baud 8E1; this one asks for modbus, 9600 baud 8E1, and they must agree',
    );
    // Another data source, perhaps of another organisation: its names are not told.
    expect(text.claim()).toMatch(/^\/dev\/ttyUSB0 is used by a connection of another data source as modbus/);
    expect(lease('own', 'mqtt', undefined).claim()).toBeUndefined();
    first.release();
    expect(slow.claim()).toMatch(/used by connection more/);
    twin.release();
    expect(slow.claim()).toBeUndefined();
    expect(text.claim()).toMatch(/asks for serial/);
    slow.shared.set('line', 'held together');
    expect(text.shared.get('line')).toBe('held together');
    expect(buses.lease('/dev/ttyUSB1', 1).shared.size).toBe(0);
  });

  it('lets a request that waits be taken back, and refuses more than it can hold without shutting out commands', async () => {
    const { bus: on } = bus();
    const { run, started, end } = jobs(on);
    void run('running', 'a');
    const leaving = new AbortController();
    const left = run('left', 'a', 'poll', leaving.signal);
    expect(on.waiting()).toBe(1);
    leaving.abort(new Error('not wanted'));
    await expect(left).rejects.toThrow('not wanted');
    expect(on.waiting()).toBe(0);
    for (let count = 0; count < limits.busQueueMax; count += 1) void run('poll', `u${count}`);
    await expect(run('one more', 'a')).rejects.toBeInstanceOf(QueueFull);
    void run('command', 'a', 'command');
    await end();
    expect(started).toEqual(['running', 'command']);
  });

  it('sets a silent unit aside, refuses what waits for it, tries it half-open and doubles the wait', async () => {
    const { bus: on, clock } = bus();
    const { run, end, started } = jobs(on);
    for (let count = 0; count < limits.setAsideAfter - 1; count += 1) {
      void run('silent', 'a');
      await end(false);
    }
    expect(on.asideForMs('a')).toBeUndefined();
    void run('last', 'a');
    const waiting = run('waiting', 'a');
    const neighbour = run('neighbour', 'b');
    const refused = expect(waiting).rejects.toBeInstanceOf(UnitAside);
    await end(false);
    await refused;
    await end();
    expect(await neighbour).toBe('neighbour');
    expect(on.asideForMs('a')).toBe(limits.setAsideFirstMs);
    await expect(run('too early', 'a')).rejects.toBeInstanceOf(UnitAside);

    await clock.pass(limits.setAsideFirstMs);
    void run('probe', 'a');
    await expect(run('beside the probe', 'a')).rejects.toBeInstanceOf(UnitAside);
    await end(false);
    expect(on.asideForMs('a')).toBe(2 * limits.setAsideFirstMs);
    for (let count = 0; count < 10; count += 1) {
      await clock.pass(on.asideForMs('a') ?? 0);
      void run('probe', 'a');
      await end(false);
    }
    expect(on.asideForMs('a')).toBe(limits.setAsideMaxMs);
    await clock.pass(limits.setAsideMaxMs);
    void run('answered', 'a');
    await end(true);
    expect(on.asideForMs('a')).toBeUndefined();
    expect(started.at(-1)).toBe('answered');
  });

  it('goes on after a job that throws', async () => {
    const { bus: on } = bus();
    const { run, end } = jobs(on);
    const { signal } = new AbortController();
    await expect(on.run({ unit: 'a', priority: 'poll', signal, run: () => Promise.reject(new Error('bug')) })).rejects.toThrow('bug');
    const next = run('next', 'a');
    await end();
    expect(await next).toBe('next');
  });
});

describe('the schedule', () => {
  it('does not drift, whatever the runs take, and does not follow the system clock', async () => {
    const clock = manualClock();
    const at: number[] = [];
    const stop = every(clock, 250, 1_000, () => at.push(clock.monotonicMs()));
    await clock.pass(3_000);
    clock.jump(-3_600_000);
    await clock.pass(3_000);
    clock.jump(7_200_000);
    await clock.pass(4_000);
    expect(at).toEqual([250, 1250, 2250, 3250, 4250, 5250, 6250, 7250, 8250, 9250]);
    stop();
    expect(clock.timers()).toBe(0);
  });

  it('skips what was missed while the process slept, and keeps its grid', () => {
    let nowMs = 0;
    let due: { atMs: number; run: () => void } | undefined;
    const clock = {
      ...manualClock(),
      monotonicMs: () => nowMs,
      after: (delayMs: number, run: () => void) => {
        due = { atMs: nowMs + delayMs, run };
        return () => undefined;
      },
    };
    const at: number[] = [];
    every(clock, 0, 1_000, () => at.push(nowMs));
    const wake = (ms: number) => {
      nowMs = ms;
      due?.run();
    };
    wake(0);
    wake(1_000);
    wake(5_400);
    expect(due?.atMs).toBe(6_000);
    wake(6_000);
    expect(at).toEqual([0, 1_000, 5_400, 6_000]);
  });

  it('spreads requests of one interval, the first at once', () => {
    expect([0, 1, 2, 3].map((index) => phaseMs(index, 4, 100))).toEqual([0, 25, 50, 75]);
    expect(phaseMs(3, 4, 3_600_000)).toBeLessThan(limits.pollSpreadMs);
  });

  it('lets a hundred connections of one interval ask one after the other, though they open together', () => {
    const phases = Array.from({ length: 100 }, (_, place) => phaseMs(0, 2, 100, place)).sort((a, b) => a - b);
    expect(Math.min(...phases)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...phases)).toBeLessThan(100);
    // Evenly spread they would be one apart.
    expect(Math.max(...phases.slice(1).map((phase, index) => phase - (phases[index] ?? 0)))).toBeLessThan(3);
  });

  it('waits longer after each failure, up to a bound, with a random part', () => {
    const longest = [0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, () => 0));
    expect(longest).toEqual([500, 1_000, 2_000, 4_000, 30_000, 30_000]);
    expect(backoffMs(1, () => 0.999_999)).toBeCloseTo(700, 0);
  });
});
