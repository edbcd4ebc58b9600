/** Asks the points of one open session at their intervals, through the bus. */
import type { Clock } from '../contract/clock.ts';
import type { Point } from '../contract/device.ts';
import type { PlannedRequest, Reading, Session } from '../contract/driver.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Reason } from '../contract/sample.ts';
import { QueueFull, UnitAside } from './bus.ts';
import { againOf, type Intake, pointsOf, saysSomething } from './intake.ts';
import type { Plant } from './plant.ts';
import { every, phaseMs } from './schedule.ts';

export interface PollerDeps {
  clock: Clock;
  log: Log;
  intake: Intake;
  plant: Plant;
  /** Of the connection among the others. */
  place: number;
  /** Sends a request with the priority of a poll. Rejects like `Bus.run`. */
  ask(request: PlannedRequest, signal: AbortSignal): Promise<Reading[]>;
  asideForMs(unit: string): number | undefined;
  overrun(): void;
  /** True when the session has ended: then the link takes care of the points. */
  isEnded(): boolean;
}

interface Task {
  readonly request: PlannedRequest;
  readonly intervalMs: number;
  /** Sent at its interval until all its points have a value, then not again. */
  readonly once: boolean;
  /** That has happened. */
  done: boolean;
  /** Waiting for the bus or for the answer. */
  busy: boolean;
  /** The last time it was due it got no answer, or was not sent because the unit was set aside. */
  missed: boolean;
  /** How often it was asked again because the far end put us off. */
  putOff: number;
  /** Takes back the try between two ticks. */
  cancelRetry?: () => void;
}

/** A request and how often it is sent. */
export interface Polled {
  request: PlannedRequest;
  /** Infinite for what is read once. */
  intervalMs: number;
}

export interface Poller {
  readonly requests: readonly PlannedRequest[];
  readonly polled: readonly Polled[];
  stop(): void;
}

/** With these a point that is read once has got what there is: a value, or the device's word that there is none. */
const settled: ReadonlySet<Reason> = new Set<Reason>(['', 'sentinel', 'nan']);

export function poll(deps: PollerDeps, session: Session, points: readonly Point[]): Poller {
  const stopping = new AbortController();
  const stops: (() => void)[] = [];
  const tasks: Task[] = [];
  /** Units that are set aside, each with the timer of its next try. */
  const aside = new Map<string, () => void>();

  for (const together of Map.groupBy(points, ({ intervalMs, once }) => `${intervalMs} ${once ?? ''}`).values()) {
    const [{ intervalMs, once = false } = { intervalMs: 0 }] = together;
    const group = planned(together).map(
      (request): Task => ({ request, intervalMs, once, done: false, busy: false, missed: false, putOff: 0 }),
    );
    tasks.push(...group);
    group.forEach((task, index) => {
      const stop = every(deps.clock, phaseMs(index, group.length, intervalMs, deps.place), intervalMs, () => {
        if (task.done) stop();
        else void run(task);
      });
      stops.push(stop);
    });
  }

  function planned(due: readonly Point[]): PlannedRequest[] {
    try {
      return session.plan?.(due) ?? [];
    } catch (error) {
      deps.log.error('the driver cannot plan these points', { points: due.length, error: messageOf(error) });
      deps.intake.fail(pointsOf(deps.plant, due), 'decode', `cannot be planned: ${messageOf(error)}`);
      return [];
    }
  }

  async function run(task: Task): Promise<void> {
    if (task.done) return;
    if (task.busy) return deps.overrun();
    task.busy = true;
    task.cancelRetry?.();
    let refused = false;
    try {
      const readings = await deps.ask(task.request, stopping.signal);
      if (stopping.signal.aborted) return;
      const again = againOf(readings);
      if (again && task.putOff < again.times) {
        task.putOff += 1;
        task.cancelRetry = deps.clock.after(again.afterMs, () => void run(task));
        return;
      }
      task.putOff = 0;
      deps.intake.take(readings);
      task.missed = saysSomething(readings) === false;
      task.done = task.once && readings.every(({ reason }) => settled.has(reason));
    } catch (error) {
      if (stopping.signal.aborted || deps.isEnded()) return;
      if (error instanceof QueueFull) deps.overrun();
      else if (error instanceof UnitAside) refused = true;
      else deps.intake.fail(pointsOf(deps.plant, task.request.points), 'decode', `${task.request.text}: ${messageOf(error)}`);
    } finally {
      task.busy = false;
    }
    follow(task, refused);
  }

  /** After each request: has its unit been set aside, or has it come back? `refused`: nothing was sent because it is aside already. */
  function follow(task: Task, refused: boolean): void {
    const { unit } = task.request;
    const retryInMs = deps.asideForMs(unit);
    if (retryInMs === undefined) {
      // A lost answer must not leave a point of a long interval without a value until it is due again.
      if (task.missed && task.intervalMs > limits.setAsideFirstMs)
        task.cancelRetry = deps.clock.after(limits.setAsideFirstMs, () => void run(task));
      if (!aside.delete(unit)) return;
      for (const other of tasks) if (other !== task && other.request.unit === unit && other.missed) void run(other);
      return;
    }
    task.missed = true;
    const known = aside.get(unit);
    if (!known) setAside(unit);
    // Only what was really sent moves the next try; 0 is a try under way elsewhere.
    if (known && refused) return;
    known?.();
    aside.set(
      unit,
      deps.clock.after(retryInMs || limits.setAsideFirstMs, () => void run(task)),
    );
  }

  function setAside(unit: string): void {
    const points = tasks.filter((task) => task.request.unit === unit).flatMap((task) => pointsOf(deps.plant, task.request.points));
    deps.intake.fail(points, 'timeout', `unit ${unit} does not answer`);
    deps.plant.offline([...new Set(points.map((point) => point.device))], `unit ${unit} does not answer`);
  }

  return {
    requests: tasks.map((task) => task.request),
    polled: tasks.map(({ request, intervalMs, once }) => ({ request, intervalMs: once ? Number.POSITIVE_INFINITY : intervalMs })),
    stop() {
      stopping.abort(new Error('polling stopped'));
      for (const stop of stops) stop();
      for (const cancel of aside.values()) cancel();
      for (const task of tasks) task.cancelRetry?.();
    },
  };
}
