import type { Clock } from '../../contract/clock.ts';
import { Fault, messageOf } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import { type ColumnKind, seriesName } from '../../contract/sample.ts';
import { longestRetentionMs } from '../../contract/settings.ts';
import { TooManySeries } from '../../store/faults.ts';
import type { Entry, Store } from '../../store/store.ts';
import { type ImportType, importTypes } from '../import/lines.ts';
import { createSampleReader } from '../import/samples.ts';
import type { Handler } from './ask.ts';
import { mediaTypeOf } from './body.ts';
import type { LongAnswers } from './long-answers.ts';

export interface ImportDeps {
  store: Store;
  clock: Clock;
  log: Log;
  longAnswers: LongAnswers;
}

/**
 * `POST import`, the body as `GET export` writes it: `{ imported, refused, faults: [{ line, message }], older }`. Each line is a sample; a bad one is
 * named and the others are taken. A sample counts as having arrived at its own time: one that is there already and arrived later stays, a repeated one
 * is kept once. When it ends early, sending the same again is safe.
 */
export function importHandler({ store, clock, log, longAnswers }: ImportDeps): Handler {
  return async ({ instance, bytes, header, user, signal }) => {
    const leave = longAnswers.enter('import');
    const { key, gateway } = instance;
    const faults: { line: number; message: string }[] = [];
    let [imported, refused, older] = [0, 0, 0];
    const refuse = (line: number, message: string) => {
      refused += 1;
      if (faults.length < limits.importFaultsMax) faults.push({ line, message: `line ${line} ${message}` });
    };

    /** Waits for the commit, so that an import goes as fast as the disk and what devices say meanwhile has its turn. */
    async function keep(entries: Entry[], lines: number[]): Promise<void> {
      signal.throwIfAborted();
      try {
        await store.append(key, entries, { now: true, failFast: true });
        imported += entries.length;
      } catch (error) {
        if (!(error instanceof TooManySeries)) throw error;
        imported += entries.length - error.refused.length;
        for (const place of error.refused) refuse(lines[place] ?? 0, `begins a series too many: ${error.message}`);
      }
    }

    try {
      const kinds = new Map<string, ColumnKind>();
      for (const series of await store.series(key)) kinds.set(seriesName(series), series.kind);
      const nowNs = clock.nowNs();
      const oldestNs = nowNs - BigInt(Math.round(longestRetentionMs(gateway.plan.settings.history))) * 1_000_000n;
      const read = createSampleReader({
        latestNs: nowNs + BigInt(limits.clockAheadMaxMs) * 1_000_000n,
        kindOf: (series) => kinds.get(seriesName(series)),
      });
      const type = mediaTypeOf(header('content-type')) as ImportType;
      let [entries, lines]: [Entry[], number[]] = [[], []];
      let seen = 0;
      for (const raw of importTypes[type](bytes)) {
        try {
          if ('problem' in raw) throw new Error(raw.problem);
          const entry = read(raw);
          if (entry.sample.timeNs < oldestNs) older += 1;
          entries.push(entry);
          lines.push(raw.line);
        } catch (error) {
          refuse(raw.line, messageOf(error));
        }
        seen += 1;
        if (seen % limits.importRowsAtOnce !== 0) continue;
        await keep(entries, lines);
        // However bad the lines, others have their turn.
        await clock.sleep(0, signal);
        [entries, lines] = [[], []];
      }
      await keep(entries, lines);
    } catch (error) {
      if (error instanceof Fault) Object.assign(error.extra, { imported, refused });
      throw error;
    } finally {
      leave();
      if (imported > 0) log.info('history was imported', { gateway: key, user: user.login, imported, refused });
    }
    return { body: { imported, refused, faults, older } };
  };
}
