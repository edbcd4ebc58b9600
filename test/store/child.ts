/** A process that uses the store, to be killed, starved and left alone: `node child.ts <job> <folder>`. It prints one line for each thing that happened. */
import { systemClock } from '../../src/contract/clock.ts';
import { Fault } from '../../src/contract/fault.ts';
import { silentLog } from '../../src/contract/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Entry } from '../../src/store/store.ts';

const [job, folder] = process.argv.slice(2);
const store = openStore({
  folder: folder === 'memory' ? undefined : folder,
  clock: systemClock,
  log: silentLog,
  flushIntervalMs: 5,
  ...(job === 'commits-safe' ? { durability: 'power-loss', syncsPerSecondMax: 50 } : {}),
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const key = { device: 'child', point: 'count' };

function count(index: number): Entry {
  const timeNs = BigInt(index);
  return { key, kind: 'int64', sample: { timeNs, arrivalNs: timeNs, value: index, quality: 'good', reason: '' } };
}

switch (job) {
  // Appends one after the other and in groups, says what was acknowledged, until it is killed.
  case 'count':
  case 'count-folding':
  case 'count-upkeep': {
    // An expiry of nothing folds all there is: so kills fall into folds too.
    const fold = async () => {
      for (;;) await store.expire('1/child', -1n);
    };
    if (job === 'count-folding') void fold();
    // Another series is filled and deleted again, and the history copied, all the time: so kills fall into those too.
    const upkeep = async () => {
      const other = { device: 'child', point: 'other' };
      for (let round = 0; ; round++) {
        await store.append(
          '1/child',
          Array.from({ length: 5_000 }, (_, index) => ({ ...count(index), key: other })),
        );
        await store.remove('1/child', [other], { fromNs: BigInt((round * 700) % 5_000), toNs: 4_500n });
        await store.backup();
      }
    };
    if (job === 'count-upkeep') void upkeep();
    const found = (await store.last('1/child')).find(({ series }) => series.point === 'count')?.sample.value;
    for (let index = typeof found === 'number' ? found + 1 : 0; ; ) {
      const size = 1 + (index % 50);
      const entries = Array.from({ length: size }, (_, offset) => count(index + offset));
      // Some that are there already come once more: a fold has to look into chunks.
      const again = Array.from({ length: index % 4 === 0 ? Math.min(index, 200) : 0 }, (_, offset) => count(index - 1 - offset));
      await store.append('1/child', [...entries, ...again], { now: index % 3 === 0 });
      index += size;
      say(String(index - 1));
    }
  }
  // Twenty commits, one after the other, between `begin` and `end`.
  case 'commits':
  case 'commits-safe': {
    await store.append('1/child', [count(0)], { now: true });
    say('begin');
    await systemClock.sleep(300);
    const beginMs = performance.now();
    for (let index = 1; index <= 20; index++) await store.append('1/child', [count(index)], { now: true });
    say(`took ${performance.now() - beginMs}`);
    say('end');
    setInterval(() => {}, 1_000);
    break;
  }
  // Reads what is there in a folder it may not write, and says how it is.
  case 'look': {
    const [found] = await store.range(
      '1/child',
      [key],
      { fromNs: 0n, toNs: 1_000n },
      { quality: 'all', rowsMax: 10 },
      new AbortController().signal,
    );
    say(`read ${found?.columns.values[0]}`);
    say(`${store.status().mode} ${store.status().detail}`);
    await store.close();
    break;
  }
  // Holds the folder until it is killed.
  case 'hold':
    await store.append('1/child', [count(1)], { now: true });
    say('holding');
    break;
  // Appends texts until the disk is full, then goes on: the parent makes room.
  case 'fill': {
    const text = 'x'.repeat(10_000);
    for (let index = 0; ; index++) {
      const timeNs = BigInt(index);
      try {
        await store.append(
          '1/child',
          [{ key, kind: 'string', sample: { timeNs, arrivalNs: timeNs, value: text, quality: 'good', reason: '' } }],
          { now: true },
        );
        say(`committed ${store.status().mode}`);
      } catch (error) {
        say(`${error instanceof Fault ? error.type : error} ${store.status().mode} ${store.status().dropped}`);
      }
      await systemClock.sleep(5);
    }
  }
  // Ends by itself after the store is closed: nothing keeps the process alive.
  case 'close':
    await store.append('1/child', [count(1)]);
    await store.close();
    say('closed');
    break;
  // Closes while the store is still opening.
  case 'close-early':
    store.append('1/child', [count(7)]).then(
      () => say('committed'),
      (error) => say(error.type),
    );
    await store.close();
    say(`closed ${store.status().committed}`);
    break;
}
