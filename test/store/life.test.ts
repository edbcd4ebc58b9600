import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { always, entry, gateway, never, openForTest, startChild, temperature, temporaryFolder, until } from './fixtures.ts';

const ask = { quality: 'all', rowsMax: 1_000_000 } as const;
const workerPath = fileURLToPath(new URL('../../src/store/worker.ts', import.meta.url));

describe('the data folder', () => {
  it('is made for nobody else to look into', async () => {
    const folder = join(temporaryFolder(), 'a', 'fieldgate');
    const store = openForTest(folder);
    await store.append(gateway, [entry(1n, 1)], { now: true });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('belongs to one process; the next waits, says for whom, and takes over when it is killed', async () => {
    const folder = temporaryFolder();
    const holder = startChild('hold', folder);
    await until(() => holder.lines.includes('holding'));
    const store = openForTest(folder);
    const waiting = store.append(gateway, [entry(1n, 1)], { now: true });
    await until(() => store.status().mode === 'waiting');
    expect(store.status().detail).toContain(`process ${holder.process.pid} on `);
    await expect(store.range(gateway, [temperature], always, ask, never)).rejects.toMatchObject({ type: 'storage-waiting', status: 503 });
    expect(store.status()).toMatchObject({ mode: 'waiting', pending: 1, committed: 0 });
    holder.process.kill('SIGKILL');
    await waiting;
    expect(store.status()).toMatchObject({ mode: 'disk', committed: 1 });
    expect((await store.series('1/child'))[0]?.point).toBe('count');
  });

  it('belongs to one store inside a process too', async () => {
    const folder = temporaryFolder();
    const first = openForTest(folder);
    await first.append(gateway, [entry(1n, 1)], { now: true });
    const second = openForTest(folder);
    await until(() => second.status().mode === 'waiting');
    await first.close();
    await until(() => second.status().mode === 'disk');
    expect(await second.series(gateway)).toHaveLength(1);
  });
});

describe('the end', () => {
  it.each(['disk', 'memory'])('leaves nothing that keeps the process alive (%s)', async (where) => {
    const child = startChild('close', where === 'memory' ? 'memory' : temporaryFolder());
    await until(() => child.lines.includes('closed'));
    expect(await child.exited).toBe(0);
  });

  it('commits what was given while it was still opening, or says that it did not come to it', async () => {
    const child = startChild('close-early', temporaryFolder());
    expect(await child.exited).toBe(0);
    // A worker that takes longer to start than closing may take is not waited for.
    expect([
      ['committed', 'closed 1'],
      ['storage-closed', 'closed 0'],
    ]).toContainEqual(child.lines);
  });

  it('takes the log into the file', async () => {
    const folder = temporaryFolder();
    const store = openForTest(folder);
    await store.append(gateway, [entry(1n, 1)]);
    await store.close();
    expect(readdirSync(folder).sort()).toEqual(['fieldgate.db', 'fieldgate.lock', 'fieldgate.owner']);
  });
});

describe('trouble', () => {
  it.each([
    ['of today', ''],
    ['of version 2, which had no audit', 'DROP TABLE audit; PRAGMA user_version = 2'],
  ])('serves a history %s in a folder it may not write, and says so', async (_name, sql) => {
    const folder = temporaryFolder();
    const store = openForTest(folder);
    await store.append('1/child', [entry(7n, 42, { key: { device: 'child', point: 'count' } })], { now: true });
    await store.close();
    const database = new DatabaseSync(join(folder, 'fieldgate.db'));
    database.exec(sql);
    database.close();
    chmodSync(folder, 0o555);
    onTestFinished(() => chmodSync(folder, 0o700));
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444);
    // The superuser may write anywhere; somebody else has to get here.
    chmodSync(dirname(folder), statSync(dirname(folder)).mode | 0o011);
    const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const child = startChild('look', folder, asNobody);
    await until(() => child.lines.length >= 2);
    expect(child.lines[0]).toBe('read 42');
    expect(child.lines[1]).toMatch(/^failed .*(readonly|unable to open|EACCES|permission)/i);
    expect(await child.exited).toBe(0);
  });

  it('shows a new history, in which it could not begin to write, as one that has nothing', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'fieldgate.db'), '');
    chmodSync(folder, 0o555);
    onTestFinished(() => chmodSync(folder, 0o700));
    chmodSync(join(folder, 'fieldgate.db'), 0o444);
    chmodSync(dirname(folder), statSync(dirname(folder)).mode | 0o011);
    const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const child = startChild('look', folder, asNobody);
    await until(() => child.lines.length >= 2);
    expect(child.lines[0]).toBe('read undefined');
    expect(child.lines[1]).toMatch(/^failed .*(readonly|unable to open|EACCES|permission)/i);
    expect(await child.exited).toBe(0);
  });

  it('sets a damaged file aside, says so, and goes on with a new one', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'fieldgate.db'), 'this was a database once'.repeat(1_000));
    const store = openForTest(folder);
    await store.append(gateway, [entry(1n, 1)], { now: true });
    const aside = readdirSync(folder).find((name) => name.startsWith('fieldgate.db.damaged-'));
    expect(readFileSync(join(folder, aside ?? ''), 'utf8')).toMatch(/^this was a database once/);
    expect(store.status().mode).toBe('disk');
    expect(store.status().detail).toContain(aside);
  });

  it('sets a file aside that is damaged while it is in use', async () => {
    const folder = temporaryFolder();
    const store = openForTest(folder);
    await store.append(gateway, [entry(1n, 1)], { now: true });
    await store.close();
    // What finds series by name is overwritten: the file opens, and fails when a new series comes.
    const path = join(folder, 'fieldgate.db');
    const database = new DatabaseSync(path);
    const page = Number(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_series_1'").get()?.rootpage);
    database.close();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 4096 * (page - 1), 4096 * page);
    writeFileSync(path, bytes);
    const again = openForTest(folder);
    const first = entry(2n, 0, { key: { device: 'new', point: 'p0' } });
    await expect(again.append(gateway, [first], { now: true, failFast: true })).rejects.toMatchObject({ type: 'storage-failed' });
    for (let index = 1; index < 20; index++)
      await again.append(gateway, [entry(2n, index, { key: { device: 'new', point: `p${index}` } })], { now: true });
    // What the damaged file did not take is in the new one.
    expect(await again.series(gateway)).toHaveLength(20);
    expect(readdirSync(folder).some((name) => name.includes('.damaged-'))).toBe(true);
    expect(again.status()).toMatchObject({ mode: 'disk' });
    expect(again.status().detail).toContain('.damaged-');
  });

  it('leaves a file of a newer version alone: neither written nor read, and said so to whoever asks', async () => {
    const folder = temporaryFolder();
    const before = openForTest(folder);
    await before.append(gateway, [entry(1n, 1)], { now: true });
    await before.close();
    const newer = new DatabaseSync(join(folder, 'fieldgate.db'));
    newer.exec('PRAGMA user_version = 99; CREATE TABLE precious (x)');
    newer.close();
    const store = openForTest(folder);
    await until(() => store.status().mode === 'failed');
    const words = /written by a newer version of Fieldgate \(schema 99, this one knows up to \d+\); install that version/;
    expect(store.status().detail).toMatch(words);
    await expect(store.series(gateway)).rejects.toMatchObject({
      type: 'storage-failed',
      status: 503,
      message: expect.stringMatching(words),
    });
    await store.close();
    expect(readdirSync(folder)).not.toContainEqual(expect.stringContaining('damaged'));
    const after = new DatabaseSync(join(folder, 'fieldgate.db'), { readOnly: true });
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    after.close();
  });

  it('keeps what waits when the disk refuses, refuses commands meanwhile, and resumes by itself', async () => {
    const folder = temporaryFolder();
    const store = openForTest(folder);
    await store.append(gateway, [entry(1n, 1)], { now: true });
    // Another program keeps the database from being written.
    const intruder = new DatabaseSync(join(folder, 'fieldgate.db'));
    onTestFinished(() => intruder.close());
    intruder.exec('BEGIN IMMEDIATE');
    const save = (id: string) =>
      store.saveCommand(gateway, {
        id,
        device: 'd',
        point: 'p',
        kind: 'set',
        value: 1,
        state: 'queued',
        user: { login: 'a', name: 'A', role: 'Editor' },
        times: {},
      });
    const failed = { type: 'storage-failed', blame: 'gateway' };
    const refused = [
      expect(store.append(gateway, [entry(2n, 2)], { now: true, failFast: true })).rejects.toMatchObject(failed),
      expect(store.flush()).rejects.toMatchObject(failed),
    ];
    const first = store.append(gateway, [entry(3n, 3)], { now: true });
    const change = store.appendConnectivity(gateway, [{ device: 'boiler', timeNs: 3n, state: 'online', reason: '' }]);
    // The commit is on its way: what comes now is behind one that is about to fail. A command is not kept waiting for the disk to come back.
    await Promise.resolve();
    refused.push(expect(save('b')).rejects.toMatchObject({ type: 'storage-failed' }));
    await Promise.all(refused);
    expect(store.status()).toMatchObject({ mode: 'failed', pending: 3, dropped: 0 });
    await expect(save('c')).rejects.toMatchObject({ type: 'storage-failed' });
    await expect(store.append(gateway, [entry(9n, 9)], { failFast: true })).rejects.toMatchObject(failed);
    // Reading is not affected, and what comes now waits.
    expect(await store.range(gateway, [temperature], always, ask, never)).toHaveLength(1);
    const waiting = store.append(gateway, [entry(4n, 4)], { now: true });
    intruder.exec('COMMIT');
    await Promise.all([first, change, waiting]);
    expect(store.status()).toMatchObject({ mode: 'disk', pending: 0, committed: 4, dropped: 0, restarts: 0 });
    const [found] = await store.range(gateway, [temperature], always, ask, never);
    expect(found?.columns.times).toEqual(BigInt64Array.of(1n, 2n, 3n, 4n));
    expect(await store.connectivity(gateway, ['boiler'], always, never)).toMatchObject([{ state: 'online' }]);
    expect(await store.commands(gateway, { limit: 10 })).toEqual([]);
  });

  it('tries again when a worker cannot even be started', async () => {
    let tries = 0;
    const spawn = (workerData: unknown) => {
      if (++tries === 1) throw new Error('no more threads');
      return new Worker(workerPath, { workerData });
    };
    const store = openForTest(temporaryFolder(), { spawn });
    await until(() => store.status().mode === 'failed');
    expect(store.status().detail).toBe('no more threads');
    await store.append(gateway, [entry(1n, 1)], { now: true });
    expect(store.status().mode).toBe('disk');
  });

  it('starts a worker that died again, which commits what the other one had not', async () => {
    const workers: Worker[] = [];
    const spawn = (workerData: unknown) => {
      const worker = new Worker(workerPath, { workerData });
      workers.push(worker);
      return worker;
    };
    const store = openForTest(temporaryFolder(), { spawn });
    await store.append(gateway, [entry(1n, 1)], { now: true });
    await store.range(gateway, [temperature], always, ask, never);
    expect(workers).toHaveLength(2);
    // Large enough that the worker is still at it when it dies.
    const many = Array.from({ length: limits.storeCommitRowsMax }, () => entry(2n, 2));
    const kept = store.append(gateway, many, { now: true });
    await Promise.resolve();
    await workers[0]?.terminate();
    await until(() => store.status().restarts === 1);
    await store.append(gateway, [entry(3n, 3)], { now: true });
    await kept;
    expect(store.status()).toMatchObject({ mode: 'disk', dropped: 0, committed: limits.storeCommitRowsMax + 2 });
    const [result] = await store.range(gateway, [temperature], always, ask, never);
    expect(result?.columns.times).toEqual(BigInt64Array.of(1n, 2n, 3n));
    await workers.at(-1)?.terminate();
    await until(() => store.status().restarts === 2);
    await until(() => store.status().mode === 'disk');
    expect(await store.range(gateway, [temperature], always, ask, never)).toHaveLength(1);
  });

  it('gives up a batch of which every worker dies, and keeps the next', async () => {
    let deaths = 0;
    const spawn = (workerData: unknown) => {
      const worker = new Worker(workerPath, { workerData });
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (request: { name: string }, ...more) => {
        if (request.name !== 'commit' || deaths >= limits.storeDeathsMax) return post(request, ...more);
        deaths += 1;
        void worker.terminate();
      };
      return worker;
    };
    const store = openForTest(temporaryFolder(), { spawn });
    await expect(store.append(gateway, [entry(1n, 1)], { now: true })).rejects.toMatchObject({ type: 'storage-failed' });
    expect(store.status()).toMatchObject({ dropped: 1, restarts: limits.storeDeathsMax });
    await store.append(gateway, [entry(2n, 2)], { now: true });
    expect(store.status()).toMatchObject({ mode: 'disk', committed: 1, dropped: 1 });
  });
});
