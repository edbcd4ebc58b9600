/** The second question: a nonce for one person, one command and one reading, good for a short time and once (DESIGN §8). */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../contract/clock.ts';
import type { CommandRecord } from '../../contract/command.ts';
import { Fault } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Value } from '../../contract/sample.ts';

interface Question {
  login: string;
  command: string;
  reading: Value | undefined;
  endMs: number;
}

export class Confirmations {
  readonly #clock: Clock;
  readonly #open = new Map<string, Question>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes the nonce of a command that has to be confirmed. Throws a `Fault` 428 with a new one if there is none, or none that fits, or what the
   * person was shown is not so any more. `agrees` compares readings.
   */
  require(
    record: CommandRecord,
    reading: Value | undefined,
    nonce: string | undefined,
    agrees: (one: Value, other: Value) => boolean,
  ): void {
    const question = nonce === undefined ? undefined : this.#open.get(nonce);
    if (nonce === undefined || !question || question.endMs <= this.#clock.monotonicMs()) throw this.#ask(record, reading);
    if (question.login !== record.user.login || question.command !== commandOf(record)) throw this.#ask(record, reading);
    this.#open.delete(nonce);
    const same = question.reading === undefined || reading === undefined ? question.reading === reading : agrees(question.reading, reading);
    if (!same) throw this.#ask(record, reading, question.reading);
  }

  #ask(record: CommandRecord, reading: Value | undefined, before?: Value): Fault {
    const nonce = randomBytes(18).toString('base64url');
    const { device, point, kind, value, user } = record;
    if (this.#open.size >= limits.confirmsOpenMax) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#open.delete(oldest);
    }
    this.#open.set(nonce, {
      login: user.login,
      command: commandOf(record),
      reading,
      endMs: this.#clock.monotonicMs() + limits.confirmMs,
    });
    const what = kind === 'set' ? `${device}.${point} is to be set to ${value}` : `${device} is to run ${point}`;
    const now =
      reading === undefined ? '' : before === undefined ? `; it reads ${reading}` : `; it reads ${reading} now, not ${before} any more`;
    return new Fault(`${what}${now}. Repeat the request with this nonce in "confirm" to do it`, {
      type: 'confirm-required',
      blame: 'caller',
      status: 428,
      extra: { nonce, reading: reading ?? null, value, expires: this.#clock.nowMs() + limits.confirmMs },
    });
  }
}

function commandOf({ device, point, kind, value }: CommandRecord): string {
  return JSON.stringify([kind, device, point, typeof value, String(value)]);
}
