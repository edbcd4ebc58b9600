/** A process that uses the store, to be killed, starved and left alone: `node child.ts <job> <folder>`. It prints one line for each thing that happened. */
import { randomBytes } from 'node:crypto';
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
          { now: true, failFast: true },
        );
        say(`committed ${store.status().mode}`);
      } catch (error) {
        say(`${error instanceof Fault ? error.type : error} ${store.status().mode} ${store.status().dropped}`);
      }
      await systemClock.sleep(5);
    }
  }
  // Appends what nobody waits for, a line for each hundred that were given, whatever becomes of them.
  case 'pour': {
    const text = 'x'.repeat(1_000);
    for (let index = 0; ; index++) {
      const timeNs = BigInt(index);
      const entry: Entry = {
        key,
        kind: 'string',
        sample: { timeNs, arrivalNs: timeNs, value: `${index} ${text}`, quality: 'good', reason: '' },
      };
      void store.append('1/child', [entry]).catch((error) => say(`lost ${error}`));
      const { mode, pending, dropped, committed } = store.status();
      if (index % 100 === 0) say(JSON.stringify({ mode, pending, dropped, committed, given: index + 1 }));
      if (index % 10 === 0) await systemClock.sleep(1);
    }
  }
  // Copies a history whose file and log are smaller than both together.
  case 'copy': {
    // Two thirds of it are in the file, where closing takes it, and two thirds in the log.
    const random = () => randomBytes(1_000_000).toString('base64');
    const put = async (to: typeof store, index: number) => {
      const sample = { timeNs: BigInt(index), arrivalNs: BigInt(index), value: random(), quality: 'good', reason: '' } as const;
      await to.append('1/child', [{ key, kind: 'string', sample }], { now: true });
    };
    await put(store, 0);
    await put(store, 1);
    await store.close();
    const again = openStore({ folder, clock: systemClock, log: silentLog });
    await put(again, 2);
    await put(again, 3);
    await again.backup().catch((error) => say(`${error.type} ${error.status}`));
    say(again.status().mode);
    const range = { fromNs: 0n, toNs: 1_000n };
    const [found] = await again.range('1/child', [key], range, { quality: 'all', rowsMax: 10 }, new AbortController().signal);
    say(`read ${found?.columns.times.length}`);
    await again.close();
    break;
  }
  // Says how it is with the folder, and whether it may be copied.
  case 'wait': {
    while (store.status().mode !== 'waiting') await systemClock.sleep(5);
    say(`waiting: ${store.status().detail}`);
    await store.backup().catch((error) => say(`no backup: ${error instanceof Fault ? error.type : error}`));
    await store.close();
    break;
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
