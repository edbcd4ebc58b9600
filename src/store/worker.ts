/**
 * The store's worker thread: owns a connection to the database and answers requests. It has no time-outs and no retries, the main thread
 * has. Everything it needs comes in `workerData` and messages, so that it also runs from a single bundled source.
 */

import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { readBuckets } from './bucket.ts';
import { buffersOf } from './column.ts';
import { createCommitter } from './commit.ts';
import { createEnds } from './ends.ts';
import { createExpirer } from './expire.ts';
import { type FolderLock, lockFolder } from './lock.ts';
import { type Answer, type CallName, type Calls, type Request, type SeriesRow, StoreTrouble, type WorkerSettings } from './messages.ts';
import { readRange } from './range.ts';
import { createRecords } from './records.ts';
import { createScan } from './scan.ts';
import { bytesOf, makeFolder, openForReading, openForWriting, setAside, troubleOf, usedBytes } from './schema.ts';

interface Reply<K extends CallName = CallName> {
  value: Calls[K]['answer'];
  transfer?: ArrayBuffer[];
}

/** A long call is a generator, so that it can be interrupted where it yields: by other calls, or for good by its `stop` cell. */
type Outcome<K extends CallName = CallName> = Reply<K> | Generator<void, Reply<K>>;

type Handlers = { [K in Exclude<CallName, 'open' | 'close'>]: (ask: Calls[K]['ask']) => Outcome<K> };

const { role, folder } = workerData as WorkerSettings;
let database: DatabaseSync | undefined;
let lock: FolderLock | undefined;
let handlers: Handlers | undefined;

function open({ nowMs, setAside: damagedBefore }: Calls['open']['ask']): Reply<'open'> {
  if (role === 'reader') {
    database = openForReading(folder ?? '');
    handlers = handlersOf(database);
    return { value: { series: [], bytes: 0 } };
  }
  if (folder !== undefined && !lock) {
    makeFolder(folder);
    const got = lockFolder(folder, nowMs);
    if ('holder' in got) return { value: got };
    lock = got;
  }
  const { opened, damaged } = openOrSetAside(nowMs, damagedBefore);
  database = opened;
  handlers = handlersOf(opened);
  const rows = opened.prepare('SELECT id, gateway, device, point, kind FROM series ORDER BY id').all();
  const series = rows.map((row) => ({ ...row }) as unknown as SeriesRow);
  return { value: { series, bytes: bytesOf(folder), ...(damaged === undefined ? {} : { damaged }) } };
}

/** A file that is no database any more is kept beside under another name, and a new one is begun. */
function openOrSetAside(nowMs: number, damagedBefore: boolean): { opened: DatabaseSync; damaged?: string } {
  let damaged = damagedBefore && folder !== undefined ? setAside(folder, nowMs) : undefined;
  try {
    return { opened: openForWriting(folder), ...(damaged === undefined ? {} : { damaged }) };
  } catch (error) {
    if (folder === undefined || troubleOf(error).kind !== 'damaged') throw error;
    damaged = setAside(folder, nowMs);
    return { opened: openForWriting(folder), ...(damaged === undefined ? {} : { damaged }) };
  }
}

function handlersOf(db: DatabaseSync): Handlers {
  // A reader's connection refuses the statements that write when they are run, not when they are prepared.
  const commit = createCommitter(db);
  const expirer = createExpirer(db);
  const endsOf = createEnds(db);
  const scan = createScan(db);
  const records = createRecords(db);
  const probe = db.prepare(role === 'reader' ? 'SELECT count FROM probe' : 'UPDATE probe SET count = count + 1');

  return {
    commit(batch) {
      const refused = commit(batch);
      return { value: { bytes: bytesOf(folder), used: usedBytes(db), refused } };
    },
    probe() {
      probe.get();
      return { value: null };
    },
    *expire({ gateway, ids, beforeNs }) {
      const done = yield* expirer.expire(gateway, ids, beforeNs);
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    *erase({ gateway, ids }) {
      const done = yield* expirer.erase(gateway, ids);
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    *trim({ bytes }) {
      const done = yield* expirer.trim(bytes);
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    forget({ ids }) {
      expirer.forget(ids);
      return { value: null };
    },
    *ends({ ids }) {
      return { value: yield* endsOf(ids) };
    },
    *range(ask) {
      const value = yield* readRange(scan, ask);
      return { value, transfer: value.flatMap(({ columns }) => buffersOf(columns)) };
    },
    *buckets(ask) {
      const value = yield* readBuckets(scan, ask);
      return {
        value,
        transfer: value.flatMap(({ times, values, exact }) => [times.buffer, values.buffer, ...(exact ? [exact.buffer] : [])]),
      };
    },
    *connectivity(ask) {
      return { value: yield* records.connectivity(ask) };
    },
    command(ask) {
      return { value: records.command(ask) };
    },
    commands(ask) {
      return { value: records.commands(ask) };
    },
    recall(ask) {
      return { value: records.recall(ask) };
    },
  };
}

function close(): Reply<'close'> {
  // The last connection to close takes the log into the file.
  database?.close();
  lock?.release();
  database = undefined;
  lock = undefined;
  handlers = undefined;
  return { value: null };
}

function begin(request: Request): Outcome {
  if (request.name === 'open') return open(request.ask as Calls['open']['ask']);
  if (request.name === 'close') return close();
  if (!handlers) throw new StoreTrouble('disk', 'the history is not open');
  // The message's name and what it asks belong together; the type of a union of calls cannot say so.
  return (handlers[request.name] as (ask: unknown) => Outcome)(request.ask);
}

interface Job {
  request: Request;
  run: Generator<void, Reply>;
}

/** Serves requests; long ones take turns, one slice each, with the loop of events in between. */
function serve(port: MessagePort): void {
  const jobs: Job[] = [];

  const reply = ({ id }: Request, { value, transfer = [] }: Reply) => port.postMessage({ id, value } satisfies Answer, transfer);
  const fail = ({ id }: Request, error: unknown) => port.postMessage({ id, trouble: troubleOf(error) } satisfies Answer);

  /** Runs one slice; true if there are more. */
  const step = ({ request, run }: Job): boolean => {
    try {
      if (request.stop && Atomics.load(request.stop, 0) !== 0) throw new StoreTrouble('stopped', 'nobody waits for it any more');
      const slice = run.next();
      if (!slice.done) return true;
      reply(request, slice.value);
    } catch (error) {
      fail(request, error);
    }
    return false;
  };

  const turn = () => {
    const job = jobs.shift();
    if (job && step(job)) jobs.push(job);
    if (jobs.length > 0) setImmediate(turn);
  };

  port.on('message', (request: Request) => {
    try {
      const outcome = begin(request);
      if ('value' in outcome) {
        reply(request, outcome);
        if (request.name === 'close') port.close();
        return;
      }
      // The first slice at once: most calls have only one. One that goes on starts the turning unless it turns already.
      const job = { request, run: outcome };
      if (step(job) && jobs.push(job) === 1) setImmediate(turn);
    } catch (error) {
      fail(request, error);
    }
  });
}

if (parentPort) serve(parentPort);
