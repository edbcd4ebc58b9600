/** Cool-down and rate of points and actions: when each was sent last. */
import type { Clock } from '../../contract/clock.ts';
import type { CommandRecord } from '../../contract/command.ts';
import { formatDurationMs } from '../../contract/duration.ts';
import { Fault } from '../../contract/fault.ts';
import type { Guards } from '../../contract/guards.ts';
import { limits } from '../../contract/limits.ts';
import { type Target, targetKey } from './target.ts';

export class Pauses {
  readonly #clock: Clock;
  /** Milliseconds since 1970, ascending; only of what has a pause or a rate. */
  readonly #sent = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What an earlier run sent: a restart is no way round a pause. */
  recall(records: readonly CommandRecord[]): void {
    for (const { device, point, kind, times } of records)
      if (times.sent !== undefined) this.#add(targetKey(device, point, kind), times.sent);
    for (const times of this.#sent.values()) times.sort((one, other) => one - other);
  }

  sent({ device, name, kind, guards }: Target): void {
    if (guards.cooldown !== undefined || guards.rate) this.#add(targetKey(device.device.id, name, kind), this.#clock.nowMs());
  }

  /** What it has to wait for; undefined if it may go. */
  pending({ device, name, kind, guards }: Target): { untilMs: number; why: string } | undefined {
    const times = this.#sent.get(targetKey(device.device.id, name, kind));
    const last = times?.at(-1);
    if (!times || last === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    // After a wall clock that was set back nobody waits longer than the pause itself.
    const [longest] = [pause(guards, last), rated(guards, times)]
      .flatMap((wait) => (wait && wait.untilMs > nowMs ? [{ ...wait, untilMs: Math.min(wait.untilMs, nowMs + wait.ofMs) }] : []))
      .sort((a, b) => b.untilMs - a.untilMs);
    return longest;
  }

  #add(key: string, atMs: number): void {
    const times = this.#sent.get(key) ?? [];
    times.push(atMs);
    if (times.length > limits.rateCountMax) times.splice(0, times.length - limits.rateCountMax);
    this.#sent.set(key, times);
  }
}

interface Wait {
  untilMs: number;
  ofMs: number;
  why: string;
}

function pause({ cooldown }: Guards, lastMs: number): Wait | undefined {
  if (cooldown === undefined) return undefined;
  return { untilMs: lastMs + cooldown, ofMs: cooldown, why: `a pause of ${formatDurationMs(cooldown)} after each command` };
}

function rated({ rate }: Guards, times: readonly number[]): Wait | undefined {
  const first = rate && times.at(-rate.max);
  if (!rate || first === undefined) return undefined;
  return { untilMs: first + rate.per, ofMs: rate.per, why: `at most ${rate.max} commands in ${formatDurationMs(rate.per)}` };
}

export function tooSoon({ device, name }: Target, { untilMs, why }: { untilMs: number; why: string }, nowMs: number): Fault {
  const waitMs = Math.max(1, Math.ceil(untilMs - nowMs));
  return new Fault(`${device.device.id}.${name} has ${why}; try again in ${(waitMs / 1_000).toFixed(1)} s`, {
    type: 'too-soon',
    blame: 'caller',
    status: 429,
    extra: { retryInMs: waitMs, until: untilMs },
  });
}
