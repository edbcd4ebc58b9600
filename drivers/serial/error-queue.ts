/** The error queue of instruments (SCPI-99 vol. 1 §4.1.5): read until it is empty. */
import { limits } from '../../src/contract/limits.ts';
import { compilePattern } from '../../src/contract/pattern.ts';
import type { Asking } from './asking.ts';
import type { Frame } from './frame.ts';
import { noPlaces, showFrame } from './match.ts';
import { fill } from './sending.ts';
import type { ConnectionOptions } from './settings.ts';
import type { Spelling } from './template.ts';

export type ErrorQueueOptions = NonNullable<ConnectionOptions['errorQueue']>;

export class ErrorQueue {
  readonly #options: ErrorQueueOptions;
  readonly #asking: Asking;
  readonly #spelling: Spelling;

  constructor(options: ErrorQueueOptions, asking: Asking, spelling: Spelling) {
    this.#options = options;
    this.#asking = asking;
    this.#spelling = spelling;
  }

  /** The errors that were in it, oldest first; `fault` says why it could not be read. */
  async empty(unit: string, signal: AbortSignal): Promise<{ errors: string[]; fault?: string }> {
    const none = compilePattern(this.#options.none);
    const bytes = fill(this.#options.request, {}, noPlaces, this.#spelling);
    const errors: string[] = [];
    while (errors.length < limits.serialErrorQueueMax) {
      // Replies of an error queue begin with a number; what an instrument says by itself in between does not.
      const accept = (frame: Frame) => (none.test(frame.text) ? '' : /^[+-]?\d+\s*,/.test(frame.text) ? showFrame(frame) : undefined);
      const outcome = await this.#asking.ask(bytes, { accept, unit, isNumbered: false }, signal);
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
