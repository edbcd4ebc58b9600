/** Devices are asked for what they know, one after the other: a broker with thousands of them is not flooded when the gateway comes. */
import type { Clock } from '../../../src/contract/clock.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Question } from './convention.ts';

export class Questions {
  readonly #clock: Clock;
  readonly #send: (question: Question) => void;
  /** By topic: a device is asked once, however often it was announced meanwhile. At most as many as there may be devices. */
  readonly #waiting = new Map<string, Question>();
  #takeBack: (() => void) | undefined;

  constructor(clock: Clock, send: (question: Question) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  ask(questions: readonly Question[]): void {
    for (const question of questions) this.#waiting.set(question.topic, question);
    if (!this.#takeBack) this.#next();
  }

  close(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
    this.#waiting.clear();
  }

  #next(): void {
    this.#takeBack = undefined;
    const [first] = this.#waiting.values();
    if (!first) return;
    this.#waiting.delete(first.topic);
    this.#send(first);
    this.#takeBack = this.#clock.after(limits.mqttQuestionEveryMs, () => this.#next());
  }
}
