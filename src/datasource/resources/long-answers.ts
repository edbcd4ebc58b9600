import { Fault } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';

const kinds = {
  events: { max: limits.eventsOpenMax, type: 'too-many-readers', what: 'readers of events are connected' },
  export: { max: limits.exportsOpenMax, type: 'too-many-exports', what: 'exports are under way' },
  import: { max: limits.importsOpenMax, type: 'too-many-imports', what: 'imports are under way' },
  survey: { max: limits.surveysOpenMax, type: 'too-many-surveys', what: 'probes and scans are under way' },
};
export type AnswerKind = keyof typeof kinds;

/** Those under way in the process, each with its reader: only so many at once. */
export class LongAnswers {
  /** Readers of events that did not keep up. */
  dropped = 0;
  readonly #open: Record<AnswerKind, number> = { events: 0, export: 0, import: 0, survey: 0 };

  /** Takes a place until the returned function is called. Throws a `Fault` 429 if there is none. */
  enter(kind: AnswerKind): () => void {
    const { max, type, what } = kinds[kind];
    if (this.#open[kind] >= max) {
      throw new Fault(`${max} ${what}, which is the most; try again when one has ended`, { type, blame: 'caller', status: 429 });
    }
    this.#open[kind] += 1;
    return () => {
      this.#open[kind] -= 1;
    };
  }

  open(): { kind: AnswerKind; count: number }[] {
    return (Object.keys(kinds) as AnswerKind[]).map((kind) => ({ kind, count: this.#open[kind] }));
  }
}
