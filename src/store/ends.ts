import type { DatabaseSync } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import type { Reason } from '../contract/sample.ts';
import type { Ends } from './messages.ts';

/** Looks up the first and the last sample of series; those without samples are absent. Pauses now and then: each costs two seeks. */
export function createEnds(database: DatabaseSync): (ids: Iterable<number>) => Generator<void, Ends> {
  const first = database.prepare('SELECT time FROM sample WHERE series = ? ORDER BY time LIMIT 1');
  const last = database.prepare('SELECT time, lag, value, quality, reason FROM sample WHERE series = ? ORDER BY time DESC LIMIT 1');
  first.setReadBigInts(true);
  last.setReadBigInts(true);

  return function* (ids) {
    const found: {
      id: number;
      first: bigint;
      time: bigint;
      lag: bigint;
      value: Ends['values'][number];
      quality: number;
      reason: Reason;
    }[] = [];
    let looked = 0;
    for (const id of ids) {
      const oldest = first.get(id);
      const newest = last.get(id);
      if (oldest && newest) {
        const { time, lag, value, quality, reason } = newest;
        found.push({
          id,
          first: oldest.time as bigint,
          time: time as bigint,
          lag: lag as bigint,
          value: value as Ends['values'][number],
          quality: Number(quality),
          reason: (reason ?? '') as Reason,
        });
      }
      if (++looked % (limits.storeSliceRows / 32) === 0) yield;
    }
    return {
      ids: Uint32Array.from(found, (end) => end.id),
      firsts: BigInt64Array.from(found, (end) => end.first),
      lasts: BigInt64Array.from(found, (end) => end.time),
      arrivals: BigInt64Array.from(found, (end) => BigInt.asIntN(64, end.time + end.lag)),
      values: found.map((end) => end.value),
      quality: Uint8Array.from(found, (end) => end.quality),
      reasons: found.map((end) => end.reason),
    };
  };
}
