/** What a scan says of ranges that can be read, and the points it proposes for them. */
import type { Survey } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Table } from './reference.ts';

/** Places of a table of a unit, `end` not among them. */
interface Range {
  unitId: number;
  table: Table;
  start: number;
  end: number;
}

export class FoundRanges {
  readonly #survey: Survey;
  /** Ids of the parts that were told; one that grows is told again. */
  readonly #parts = new Set<string>();

  constructor(survey: Survey) {
    this.#survey = survey;
  }

  /** `range` with all that was found of it so far, of which `knownEnd` is where it ended before. */
  tell(range: Range, knownEnd: number): void {
    const { unitId, table, start, end } = range;
    const isShort = end - start <= limits.scanPointsMax;
    this.#survey.found({
      id: `unit ${unitId} ${table} ${start}`,
      kind: 'range',
      text: `unit ${unitId}: ${nameOf(range)} can be read`,
      values: valuesOf(range),
      ...(isShort && { proposes: { devices: [deviceOf(range)] } }),
    });
    if (isShort) return;
    // What was proposed as a whole until now is not any more.
    const from = knownEnd - start <= limits.scanPointsMax ? start : knownEnd;
    const first = from - ((from - start) % limits.scanPointsMax);
    for (let at = first; at < end; at += limits.scanPointsMax)
      this.#tellPart({ ...range, start: at, end: Math.min(at + limits.scanPointsMax, end) });
  }

  #tellPart(part: Range): void {
    const { unitId, table, start } = part;
    const id = `unit ${unitId} ${table} ${start} part`;
    if (!this.#parts.has(id) && this.#parts.size >= limits.scanPartsMax) return;
    this.#parts.add(id);
    this.#survey.found({
      id,
      kind: 'part',
      text: `unit ${unitId}: ${nameOf(part)} of a longer range, as points`,
      values: valuesOf(part),
      proposes: { devices: [deviceOf(part)] },
    });
  }
}

function nameOf({ table, start, end }: Range): string {
  return `${table} ${start}${end - start > 1 ? `-${end - 1}` : ''}`;
}

function valuesOf({ unitId, table, start, end }: Range) {
  return { unitId, table, first: start, last: end - 1, count: end - start };
}

/** A point for each place, as the data sheet counts them: what they mean, and which of them belong together, is not to be seen from here. */
function deviceOf({ unitId, table, start, end }: Range): Record<string, unknown> {
  const points = Array.from({ length: end - start }, (_, at) => ({
    id: `${table}_${start + at}`,
    address: { table, register: start + at },
  }));
  return { id: `unit-${unitId}`, address: { unitId }, points };
}
