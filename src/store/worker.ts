/**
 * The store's worker thread: owns a connection to the database and answers requests. It has no time-outs and no retries, the main thread
 * has. Everything it needs comes in `workerData` and messages, so that it also runs from a single bundled source.
 */

import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { limits } from '../contract/limits.ts';
import { listBackups, makeBackup } from './backup.ts';
import { buffersOf } from './column.ts';
import { History } from './history.ts';
import { type FolderLock, lockFolder } from './lock.ts';
import {
  type Answer,
  type CallName,
  type Calls,
  type Durability,
  type Request,
  type SeriesRow,
  StoreTrouble,
  type WorkerSettings,
} from './messages.ts';
import { createRecords } from './records.ts';
import { bytesOf, durabilityOf, makeFolder, openForReading, openForWriting, setAside, troubleOf, usedBytes } from './schema.ts';

interface Reply<K extends CallName = CallName> {
  value: Calls[K]['answer'];
  transfer?: ArrayBuffer[];
}

/**
 * A long call is a generator, so that it can be interrupted where it yields: by other calls, or for good by its cell in `stops`. One whose work is done by
 * other threads is a promise.
 */
type Outcome<K extends CallName = CallName> = Reply<K> | Generator<void, Reply<K>> | Promise<Reply<K>>;

type Handlers = { [K in Exclude<CallName, 'open' | 'close'>]: (ask: Calls[K]['ask']) => Outcome<K> };

const { role, folder, durability } = workerData as WorkerSettings;
let database: DatabaseSync | undefined;
let lock: FolderLock | undefined;
let handlers: Handlers | undefined;

/** Damage that was met since the last answer, and all that has been told of, so that each part is told of once. */
let damage: string[] = [];
const told = new Set<string>();

function onDamage(what: string): void {
  if (told.has(what) || told.size >= limits.storeDamageToldMax) return;
  told.add(what);
  damage.push(what);
}

function* open({ nowMs, setAside: damagedBefore, tells }: Calls['open']['ask']): Generator<void, Reply<'open'>> {
  if (role === 'reader') {
    database = openForReading(folder ?? '');
    handlers = handlersOf(database, new History(database, role, onDamage));
    return { value: { series: tells ? seriesOf(database) : [], bytes: bytesOf(folder) } };
  }
  if (folder !== undefined && !lock) {
    makeFolder(folder);
    const got = lockFolder(folder, nowMs);
    if ('holder' in got) return { value: got };
    lock = got;
  }
  let damaged = damagedBefore && folder !== undefined ? setAside(folder, nowMs) : undefined;
  try {
    return { value: { ...(yield* openHistory(nowMs)), ...(damaged === undefined ? {} : { damaged }) } };
  } catch (error) {
    if (folder === undefined || troubleOf(error).kind !== 'damaged') throw error;
    // A file that is no database any more is kept beside under another name, and a new one is begun.
    database?.close();
    database = undefined;
    damaged = setAside(folder, nowMs);
    return { value: { ...(yield* openHistory(nowMs)), ...(damaged === undefined ? {} : { damaged }) } };
  }
}

function* openHistory(nowMs: number): Generator<void, { series: SeriesRow[]; bytes: number; durability: Durability }> {
  const opened = openForWriting(folder, nowMs, durability);
  database = opened;
  const history = new History(opened, role, onDamage);
  yield* history.open();
  handlers = handlersOf(opened, history);
  return { series: seriesOf(opened), bytes: bytesOf(folder), durability: durabilityOf(opened) };
}

function seriesOf(opened: DatabaseSync): SeriesRow[] {
  const rows = opened.prepare('SELECT id, gateway, device, point, kind FROM series ORDER BY id').all();
  return rows.map((row) => ({ ...row }) as unknown as SeriesRow);
}

/**
 * A fold takes as much of a processor as it can get, and the smallest machines have one or two, which polls and commands want too: it rests while there is
 * room for what comes meanwhile and no call waits for it.
 */
function restOf(fullness: number): number {
  return fullness < limits.storeHeadRestMax && jobs.length === 0 ? limits.storeFoldRest : 0;
}

function handlersOf(db: DatabaseSync, history: History): Handlers {
  // A reader's connection refuses the statements that write when they are run, not when they are prepared.
  const { expirer } = history;
  const records = createRecords(db);
  const probe = db.prepare(role === 'reader' ? 'SELECT count FROM probe' : 'UPDATE probe SET count = count + 1');

  let measured = { bytes: 0, used: 0 };
  let commits = 0;
  let measuredMs = Number.NEGATIVE_INFINITY;
  /** Looked at now and then: it takes as long as a tenth of a commit. */
  function size(): typeof measured {
    const nowMs = performance.now();
    if (commits++ % limits.storeSizeCommits !== 0 && nowMs - measuredMs < limits.storeSizeAgeMs) return measured;
    measuredMs = nowMs;
    measured = { bytes: bytesOf(folder), used: usedBytes(db) };
    return measured;
  }

  let shortening = false;
  function* oneByOne<T>(run: Generator<void, T>): Generator<void, T> {
    while (shortening) yield;
    shortening = true;
    try {
      return yield* run;
    } finally {
      shortening = false;
    }
  }

  return {
    *commit(batch) {
      // Whoever writes faster than can be folded waits here, so that memory and log stay bounded.
      while (history.fullness > limits.storeHeadOverMax) {
        if (history.isFolding) yield;
        else yield* history.fold();
      }
      const refused = history.commit(batch);
      if (history.fullness >= 1 && !history.isFolding && parentPort)
        inBackground(parentPort, history.fold(), () => restOf(history.fullness));
      return { value: { ...size(), refused } };
    },
    probe() {
      probe.get();
      return { value: null };
    },
    *expire({ gateway, ids, beforeNs }) {
      const done = yield* oneByOne(expirer.expire(gateway, ids, beforeNs));
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    *erase({ gateway, ids }) {
      const done = yield* oneByOne(expirer.erase(gateway, ids));
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    *remove({ ids, fromNs, toNs }) {
      const done = yield* oneByOne(expirer.remove(ids, fromNs, toNs));
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    *sizes({ ids }) {
      return { value: yield* history.sizesOf(ids) };
    },
    async backup({ nowMs, keep }) {
      return { value: await makeBackup(folder ?? '', nowMs, keep) };
    },
    backups() {
      return { value: listBackups(folder ?? '') };
    },
    *trim({ bytes }) {
      const done = yield* oneByOne(expirer.trim(bytes));
      return { value: { ...done, bytes: bytesOf(folder) } };
    },
    forget({ ids }) {
      expirer.forget(ids);
      return { value: null };
    },
    *ends({ ids }) {
      return { value: yield* history.endsOf(ids) };
    },
    giveBack({ slabs }) {
      history.slabs.giveBack(slabs);
      return { value: null };
    },
    *range(ask) {
      const value = yield* history.range(ask);
      return { value, transfer: value.flatMap(({ columns }) => buffersOf(columns)) };
    },
    *buckets(ask) {
      const value = yield* history.buckets(ask);
      return {
        value,
        transfer: value.flatMap(({ times, values, exact }) => [times.buffer, values.buffer, ...(exact ? [exact.buffer] : [])]),
      };
    },
    *outline(ask) {
      const value = yield* history.outline(ask);
      return { value, transfer: value.flatMap(({ columns }) => buffersOf(columns)) };
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
    expireCommands(ask) {
      return { value: records.expireCommands(ask) };
    },
    audit({ gateway, afterSeq, limit }) {
      return { value: records.audit.lines(gateway, afterSeq, limit) };
    },
    *auditCheck({ gateway }) {
      return { value: yield* records.audit.check(gateway) };
    },
    recall(ask) {
      return { value: records.recall(ask) };
    },
  };
}

function close(): Reply<'close'> {
  // What is unfinished goes on at the next opening.
  jobs.length = 0;
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

/** A long call, or part of what the worker does by itself, which has no `request`. */
interface Job {
  request?: Request;
  run: Generator<void, unknown>;
}

const jobs: Job[] = [];

/** Runs beside the calls, one slice at a time; `rest` says how many times as long as a slice took is to pass before the next one. */
function inBackground(port: MessagePort, run: Generator<void, void>, rest: () => number): void {
  const slice = () => {
    // Closed meanwhile: what is unfinished goes on at the next opening.
    if (!database) return;
    const beginMs = performance.now();
    if (!step(port, { run })) return;
    const pauseMs = (performance.now() - beginMs) * rest();
    if (pauseMs > 0) setTimeout(slice, pauseMs);
    else setImmediate(slice);
  };
  setImmediate(slice);
}

function answer(port: MessagePort, { id }: Request, outcome: { value: unknown } | { error: unknown }, transfer: ArrayBuffer[] = []): void {
  const told = damage.length > 0 ? { damage } : {};
  damage = [];
  const content = 'error' in outcome ? { trouble: troubleOf(outcome.error) } : { value: outcome.value };
  port.postMessage({ id, ...told, ...content } satisfies Answer, transfer);
}

let stops: Int32Array = new Int32Array(1);

function isStopped({ id }: Request): boolean {
  return Atomics.load(stops, id % stops.length) === (id | 0);
}

/** Runs one slice; true if there are more. */
function step(port: MessagePort, { request, run }: Job): boolean {
  try {
    if (request && isStopped(request)) throw new StoreTrouble('stopped', 'nobody waits for it any more');
    const slice = run.next();
    if (!slice.done) return true;
    if (request) {
      // What a request runs ends with its reply.
      const { value, transfer } = slice.value as Reply;
      answer(port, request, { value }, transfer);
    }
  } catch (error) {
    // What it holds it lets go of; one that failed by itself has done so already.
    run.return(undefined);
    if (request) answer(port, request, { error });
    else onDamage(troubleOf(error).message);
  }
  return false;
}

/** Long calls take turns, one slice each, with the loop of events in between. */
function turn(): void {
  const job = jobs.shift();
  if (job && parentPort && step(parentPort, job)) jobs.push(job);
  if (jobs.length > 0) setImmediate(turn);
}

function serve(port: MessagePort): void {
  port.on('message', (request: Request) => {
    try {
      stops = request.stops ?? stops;
      const outcome = begin(request);
      if ('value' in outcome) {
        answer(port, request, outcome, outcome.transfer);
        if (request.name === 'close') port.close();
        return;
      }
      if (outcome instanceof Promise) {
        outcome.then(
          ({ value }) => answer(port, request, { value }),
          (error: unknown) => answer(port, request, { error }),
        );
        return;
      }
      // The first slice at once: most calls have only one. One that goes on starts the turning unless it turns already.
      const job = { request, run: outcome };
      if (step(port, job) && jobs.push(job) === 1) setImmediate(turn);
    } catch (error) {
      answer(port, request, { error });
    }
  });
}

if (parentPort) serve(parentPort);
