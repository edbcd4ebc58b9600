/** In which order commits go: samples that are many, and records for which somebody waits. */
import { expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import type { SeriesRecord } from '../../src/store/catalogue.ts';
import type { RecordWrite } from '../../src/store/messages.ts';
import { CommitQueue } from '../../src/store/queue.ts';

const record: RecordWrite = { type: 'remember', gateway: '1/test', scope: 's', key: 'k', json: '1' };
const most = limits.storeCommitRowsMax;

it('a record goes before samples that are due, and never twice before them', async () => {
  const went: string[] = [];
  let commit = Promise.withResolvers<void>();
  let begun = Promise.withResolvers<void>();
  const queue = new CommitQueue(systemClock, async (batch) => {
    went.push(`${batch.rows} samples, ${batch.records.length} records`);
    begun.resolve();
    await commit.promise;
    return { refused: new Map() };
  });
  /** Lets the commit that is on its way end, and the next one begin. */
  const next = async () => {
    const ending = commit;
    commit = Promise.withResolvers();
    begun = Promise.withResolvers();
    ending.resolve();
    await begun.promise;
  };
  queue.setOpen(true);
  const series = { batch: 0, place: 0, kind: 'double', key: { device: 'd', point: 'p' } } as SeriesRecord;
  for (let part = 0; part < 3; part++) {
    expect(queue.reserve(most)).toBe(true);
    for (let row = 0; row < most; row++)
      queue.put(series, { timeNs: BigInt(row), arrivalNs: BigInt(row), value: row, quality: 'good', reason: '' });
  }
  const all = [queue.committed(0)];
  await begun.promise;
  all.push(queue.write(record));
  await next();
  all.push(queue.write(record));
  await next();
  all.push(queue.write(record));
  await next();
  await next();
  commit.resolve();
  await Promise.all(all);
  expect(went).toEqual([
    `${most} samples, 0 records`,
    '0 samples, 1 records',
    `${most} samples, 1 records`,
    '0 samples, 1 records',
    `${most} samples, 0 records`,
  ]);
});
