/** The error queue of instruments (SCPI-99 vol. 1 §4.1.5): read until it is empty. */

import { limits } from '../../src/contract/limits.ts';
import { compilePattern } from '../../src/contract/pattern.ts';
import type { Frame } from './frame.ts';
import { showFrame } from './match.ts';
import { fill } from './sending.ts';
import type { ConnectionOptions } from './settings.ts';
import type { Request, Wire } from './wire.ts';

type Times = Pick<Request<unknown>, 'timeoutMs' | 'restMs'> & { unit: string };

export class ErrorQueue {
  readonly #options: NonNullable<ConnectionOptions['errorQueue']>;
  readonly #wire: Wire;
  readonly #times: Times;

  constructor(options: NonNullable<ConnectionOptions['errorQueue']>, wire: Wire, times: Times) {
    this.#options = options;
    this.#wire = wire;
    this.#times = times;
  }

  /** The errors that were in it, oldest first; `fault` says why it could not be read. */
  async empty(signal: AbortSignal): Promise<{ errors: string[]; fault?: string }> {
    const none = compilePattern(this.#options.none);
    const nobody = { id: undefined, sequence: undefined };
    const bytes = fill(this.#options.request, {}, nobody, this.#wire.spelling);
    const errors: string[] = [];
    while (errors.length < limits.serialErrorQueueMax) {
      // Replies of an error queue begin with a number; what an instrument says by itself in between does not.
      const accept = (frame: Frame) => (none.test(frame.text) ? '' : /^[+-]?\d+\s*,/.test(frame.text) ? showFrame(frame) : undefined);
      const outcome = await this.#wire.ask({ bytes, accept, ...this.#times }, signal);
      if (outcome.kind === 'timeout') return { errors, fault: 'the error queue was asked and did not answer' };
      if (outcome.kind === 'lost') return { errors, fault: outcome.error.message };
      if (outcome.kind === 'aborted') return { errors, fault: 'reading the error queue was given up' };
      if (outcome.answer === '') return { errors };
      errors.push(outcome.answer);
    }
    return {
      errors,
      fault: `the error queue is never empty: ${limits.serialErrorQueueMax} errors were read, the last is ${errors.at(-1)}`,
    };
  }
}
