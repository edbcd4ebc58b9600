/** The detective of byte orders: reads one block and says what it could mean, the likeliest first. Reads only. */
import type { Finding, Survey } from '../../src/contract/driver.ts';
import type { Outcome } from './client.ts';
import { exceptionText } from './exceptions.ts';
import { type Guess, guesses } from './guess.ts';
import type { Reader } from './reader.ts';
import type { ProbeOptions } from './survey-settings.ts';

/** Where a manual's number is on the wire. */
const bases = [
  { base: 0, words: 'counted from 0' },
  { base: 1, words: 'counted from 1' },
] as const;

export async function probe(reader: Reader, options: ProbeOptions, survey: Survey, signal: AbortSignal): Promise<void> {
  const { unitId, table, register, count, expect } = options;
  const found: { guess: Guess; base: number; words: string; register: number }[] = [];
  const complaints: string[] = [];
  for (const [done, { base, words }] of bases.entries()) {
    const start = register - base;
    const most = Math.min(count, 65_536 - start);
    if (start < 0) continue;
    signal.throwIfAborted();
    survey.progress(done, bases.length, `reading ${table} ${start}-${start + most - 1} of unit ${unitId}`);
    const outcome = await readShorter(reader, { unitId, table, start, count: most }, survey);
    if (!Buffer.isBuffer(outcome)) {
      complaints.push(`${table} ${start}: ${outcome}`);
      continue;
    }
    for (const guess of guesses(outcome, expect)) {
      // Counted from 0 is how this gateway counts: of two that are about as good it goes first.
      const score = expect === undefined ? Math.round(guess.score * (base === 0 ? 1_000 : 950)) / 1_000 : guess.score;
      found.push({ guess: { ...guess, score }, base, words, register: start });
    }
  }
  survey.progress(bases.length, bases.length, `${found.length} meanings`);
  if (found.length === 0) throw new Error(`nothing could be read: ${complaints.join('; ')}`);
  found.sort((a, b) => b.guess.score - a.guess.score || a.base - b.base);
  for (const { guess, base, words, register: at } of found) survey.found(findingOf(guess, table, at, base, words));
}

/** The bytes; or why there are none. A device refuses what touches an undefined register: half as much is tried then. */
async function readShorter(
  reader: Reader,
  block: { unitId: number; table: 'holding' | 'input'; start: number; count: number },
  survey: Survey,
): Promise<Buffer | string> {
  let outcome: Outcome<Buffer> | undefined;
  for (let { count } = block; count >= 1; count >>= 1) {
    outcome = await survey.turn(String(block.unitId), (wanted) => reader.block({ ...block, count }, wanted));
    if (outcome.kind === 'answer') return outcome.answer;
    if (outcome.kind === 'lost') throw outcome.error;
    if (outcome.kind === 'aborted') throw outcome.reason;
    if (outcome.kind !== 'exception') break;
  }
  if (outcome?.kind === 'exception') return exceptionText(outcome.code);
  return outcome?.kind === 'timeout'
    ? `no answer${outcome.detail === undefined ? '' : `; ${outcome.detail}`}`
    : (outcome?.kind ?? 'nothing');
}

function findingOf(guess: Guess, table: string, register: number, base: number, words: string): Finding {
  const { type, order, value, scale, length, score } = guess;
  const shown = scale === 1 ? String(value) : `${value} × ${scale} = ${Number((Number(value) * scale).toPrecision(12))}`;
  const spelt = `${type}${order === undefined ? '' : ` ${order}`}`;
  return {
    id: `${base} ${type} ${order ?? ''}`.trimEnd(),
    kind: 'byte-order',
    text: `${table} ${register} (${words}) as ${spelt}: ${shown}`,
    values: {
      type,
      order: order ?? null,
      value: typeof value === 'bigint' ? String(value) : value,
      scale,
      base,
      table,
      register,
      registers: guess.registers,
    },
    score,
    proposes: {
      points: [
        {
          id: `${table}_${register}`,
          address: { table, register, type, ...(order === undefined ? {} : { order }), ...(length === undefined ? {} : { length }) },
          ...(scale === 1 ? {} : { scale }),
        },
      ],
    },
  };
}
