/** Attempts that never became a command are recorded too: who tried what, and why it was refused. Bounded, so that nobody can fill the record. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../contract/clock.ts';
import type { CommandRecord, Origin } from '../../contract/command.ts';
import { Fault } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Journal } from './journal.ts';

export interface Attempt {
  device: string;
  point: string;
  kind: 'set' | 'act';
  value?: CommandRecord['value'];
  user: CommandRecord['user'];
  reason?: string | undefined;
  origin?: Origin | undefined;
}

/** Of one command of a list: another of it is refused, and then none is sent. */
export function anotherRefused(): Fault {
  return notSent('another command of the list was refused');
}

export function notSent(why: string): Fault {
  return new Fault(`not sent, because ${why}`, { type: 'not-sent', blame: 'caller', status: 409 });
}

/** Not understood, no such thing, asked back, or the record itself failed: no attempt on a device. */
const notAttempts = new Set([400, 404, 428]);

export class Refusals {
  readonly #clock: Clock;
  readonly #journal: Journal;
  #windowEndMs = Number.NEGATIVE_INFINITY;
  #recorded = 0;
  #others = 0;
  /** By type of problem, since the start. */
  readonly counts: Record<string, number> = {};

  constructor(clock: Clock, journal: Journal) {
    this.#clock = clock;
    this.#journal = journal;
  }

  /** Returns at once; the record follows. */
  note({ device, point, kind, value = null, user, reason, origin }: Attempt, fault: Fault): void {
    if (notAttempts.has(fault.status) || fault.type === 'storage-failed') return;
    this.counts[fault.type] = (this.counts[fault.type] ?? 0) + 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + 60_000;
      this.#recorded = 0;
    }
    if (this.#recorded >= limits.refusalsPerMinuteMax) {
      this.#others += 1;
      return;
    }
    this.#recorded += 1;
    const others = this.#others;
    this.#others = 0;
    const now = this.#clock.nowMs();
    const record: CommandRecord = {
      id: randomUUID(),
      device,
      point,
      kind,
      value,
      state: 'rejected',
      detail: fault.message,
      ...(reason === undefined ? {} : { reason }),
      user: { login: user.login, name: user.name, role: user.role },
      ...(origin === undefined ? {} : { origin }),
      refusal: { status: fault.status, type: fault.type, ...(others > 0 ? { others } : {}) },
      times: { queued: now, rejected: now, ended: now },
    };
    void this.#journal.refused(record);
  }
}
