/** Finds out which units answer, and which ranges of their tables can be read. Reads only. */
import type { Survey } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Outcome } from './client.ts';
import { codes, exceptionText } from './exceptions.ts';
import { FoundRanges } from './found-ranges.ts';
import type { Reader } from './reader.ts';
import { isBits, type Table } from './reference.ts';
import { walkSunSpec } from './sunspec.ts';
import type { ScanOptions } from './survey-settings.ts';

/** A gateway says that there is nobody behind it under this id. */
const nobodyThere: readonly number[] = [codes.pathUnavailable, codes.targetSilent];
/** Silences in a row after which a table is left: whoever has answered before may have had enough. */
const silencesMax = 2;

type Ask = (unitId: number, table: Table, start: number, count: number) => Promise<Outcome<Buffer>>;

/** All requests that were allowed are used up. */
class Enough extends Error {}

export async function scan(reader: Reader, options: ScanOptions, survey: Survey, signal: AbortSignal): Promise<void> {
  const { units, tables, addresses } = options;
  const ranges = new FoundRanges(survey);
  let requests = 0;
  let text = '';
  const ask: Ask = async (unitId, table, start, count) => {
    signal.throwIfAborted();
    if (requests >= options.requestsMax) throw new Enough();
    requests += 1;
    const outcome = await survey.turn(String(unitId), (wanted) => reader.block({ unitId, table, start, count }, wanted));
    if (outcome.kind === 'lost') throw outcome.error;
    if (outcome.kind === 'aborted') throw outcome.reason;
    return outcome;
  };
  // Every unit is a step; one that answers brings a step for each of its tables.
  let total = units.last - units.first + 1;
  let done = 0;
  const step = (what: string) => {
    text = what;
    survey.progress(done, total, text);
    done += 1;
  };
  try {
    for (let unitId = units.first; unitId <= units.last; unitId++) {
      step(`asking unit ${unitId}`);
      const said = await greet(ask, unitId, tables, addresses.first);
      if (said === undefined) continue;
      survey.found({
        id: `unit ${unitId}`,
        kind: 'unit',
        text: `unit ${unitId} answers: ${said}`,
        values: { unitId, said },
        proposes: { devices: [{ id: `unit-${unitId}`, address: { unitId } }] },
      });
      if (options.sunspec && (await walkSunSpec((start, count) => ask(unitId, 'holding', start, count), unitId, survey))) continue;
      if (!options.ranges) continue;
      total += tables.length;
      for (const table of tables) {
        step(`looking through ${table} ${addresses.first}-${addresses.last} of unit ${unitId}`);
        await lookThrough(ask, unitId, table, addresses, ranges);
      }
    }
    survey.progress(total, total, `${requests} requests`);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    survey.progress(done, total, `ended after ${requests} requests (requestsMax), ${text}`);
  }
}

/** What the unit says to the first question; undefined if it is not there. A refusal is an answer too. */
async function greet(ask: Ask, unitId: number, tables: readonly Table[], start: number): Promise<string | undefined> {
  for (const table of tables) {
    const outcome = await ask(unitId, table, start, 1);
    switch (outcome.kind) {
      case 'answer':
        return `${table} ${start} can be read`;
      case 'exception':
        if (nobodyThere.includes(outcome.code)) return undefined;
        if (outcome.code === codes.illegalFunction) continue;
        return exceptionText(outcome.code);
      case 'crc':
      case 'garbled':
        // Somebody is there: two units with one id, or other line settings.
        return outcome.detail;
      default:
        return undefined;
    }
  }
  return `${exceptionText(codes.illegalFunction)} (${tables.join(', ')})`;
}

/** Blocks as large as they may be; one that is refused is halved until single places are left. */
async function lookThrough(
  ask: Ask,
  unitId: number,
  table: Table,
  { first, last }: ScanOptions['addresses'],
  ranges: FoundRanges,
): Promise<void> {
  const most = isBits(table) ? limits.modbusBitsMax : limits.modbusRegistersMax;
  const open: { start: number; end: number }[] = [];
  for (let start = first; start <= last; start += most) open.push({ start, end: Math.min(start + most, last + 1) });
  let found: { start: number; end: number } | undefined;
  let silences = 0;
  for (let block = open.shift(); block; block = open.shift()) {
    const { start, end } = block;
    const outcome = await ask(unitId, table, start, end - start);
    silences = outcome.kind === 'timeout' ? silences + 1 : 0;
    if (silences >= silencesMax) return;
    if (outcome.kind === 'answer') {
      found = found?.end === start ? { start: found.start, end } : { start, end };
      ranges.tell({ unitId, table, ...found }, start);
      continue;
    }
    if (outcome.kind === 'exception' && outcome.code === codes.illegalFunction) return;
    if (end - start === 1) continue;
    const middle = start + Math.ceil((end - start) / 2);
    open.unshift({ start, end: middle }, { start: middle, end });
  }
}
