/**
 * What the history is measured against, each as its makers mean it to be used: a row a sample with node:sqlite on the main thread (most gateways),
 * DuckDB's appender in the process, VictoriaMetrics over HTTP on the same machine. A peer that is not there is said to be so, never guessed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../src/store/store.ts';
import { freePort } from '../test/far/mosquitto.ts';

export interface Peer {
  readonly name: string;
  append(entries: readonly Entry[]): Promise<void> | void;
  /** Samples of one series, as many as there are in the range. */
  read(point: string, fromNs: bigint, toNs: bigint): Promise<number> | number;
  /** Minimum, average and maximum of buckets; how many. */
  buckets(point: string, fromNs: bigint, toNs: bigint, count: number): Promise<number> | number;
  /** Ends it; bytes it has on disk then. */
  close(): Promise<number> | number;
}

export function openRows(folder: string): Peer {
  const path = join(folder, 'rows.db');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec(
    'CREATE TABLE sample (series TEXT, time INTEGER, value REAL, quality INTEGER); CREATE INDEX by_series ON sample (series, time)',
  );
  const insert = database.prepare('INSERT INTO sample VALUES (?, ?, ?, ?)');
  const read = database.prepare('SELECT time, value, quality FROM sample WHERE series = ? AND time >= ? AND time < ? ORDER BY time');
  read.setReadBigInts(true);
  const group = database.prepare(
    'SELECT (time - CAST(? AS INTEGER)) / CAST(? AS INTEGER) AS bucket, min(value), avg(value), max(value) FROM sample WHERE series = ? AND time >= ? AND time < ? GROUP BY bucket',
  );
  return {
    name: 'sqlite rows',
    append(entries) {
      database.exec('BEGIN');
      for (const { key, sample } of entries) insert.run(key.point, sample.timeNs, Number(sample.value), 0);
      database.exec('COMMIT');
    },
    read: (point, fromNs, toNs) => read.all(point, fromNs, toNs).length,
    buckets: (point, fromNs, toNs, count) => group.all(fromNs, (toNs - fromNs) / BigInt(count), point, fromNs, toNs).length,
    close() {
      database.close();
      return statSync(path).size;
    },
  };
}

const duckVersion = '1.5.6-r.1';

/** DuckDB is 68 MB, so it is no dependency: it is installed beside, in the system's folder for such things, when it is asked for. */
export async function openDuck(folder: string): Promise<Peer | string> {
  const home = join(tmpdir(), `fieldgate-bench-duckdb-${duckVersion}`);
  if (!existsSync(join(home, 'node_modules', '@duckdb', 'node-api'))) {
    mkdirSync(home, { recursive: true });
    const install = ['install', '--no-audit', '--no-fund', '--prefix', home, `@duckdb/node-api@${duckVersion}`];
    const { status, stderr } = spawnSync('npm', install, { encoding: 'utf8', timeout: 180_000 });
    if (status !== 0) return `DuckDB cannot be installed: ${stderr?.trim().split('\n').at(-1) ?? 'npm is not there'}`;
  }
  // biome-ignore lint/suspicious/noExplicitAny: the package is not installed here, so its types are not either
  const duck: any = createRequire(join(home, 'x.js'))('@duckdb/node-api');
  const path = join(folder, 'duck.db');
  const instance = await duck.DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run('CREATE TABLE sample (series VARCHAR, time BIGINT, value DOUBLE, quality UTINYINT)');
  const appender = await connection.createAppender('sample');
  const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).currentRowCount as number;
  return {
    name: 'DuckDB',
    append(entries) {
      for (const { key, sample } of entries) {
        appender.appendVarchar(key.point);
        appender.appendBigInt(sample.timeNs);
        appender.appendDouble(Number(sample.value));
        appender.appendUTinyInt(0);
        appender.endRow();
      }
      appender.flushSync();
    },
    read: (point, fromNs, toNs) =>
      rowsOf(`SELECT time, value FROM sample WHERE series = '${point}' AND time >= ${fromNs} AND time < ${toNs} ORDER BY time`),
    buckets: (point, fromNs, toNs, count) =>
      rowsOf(
        `SELECT (time - ${fromNs}) // ${(toNs - fromNs) / BigInt(count)} AS bucket, min(value), avg(value), max(value) FROM sample WHERE series = '${point}' AND time >= ${fromNs} AND time < ${toNs} GROUP BY bucket`,
      ),
    async close() {
      appender.closeSync();
      await connection.run('CHECKPOINT');
      connection.closeSync();
      instance.closeSync();
      return statSync(path).size;
    },
  };
}

/** VictoriaMetrics answers when it has samples in memory; they are on disk a second later. */
export async function openVictoria(folder: string): Promise<Peer | string> {
  const program = ['/usr/bin/victoria-metrics', '/usr/local/bin/victoria-metrics'].find(existsSync);
  if (program === undefined) return 'VictoriaMetrics is not installed (Debian: apt-get install victoria-metrics)';
  const port = await freePort();
  const data = join(folder, 'victoria');
  const server = spawn(
    program,
    [`-storageDataPath=${data}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=100y', '-loggerLevel=ERROR'],
    {
      stdio: 'ignore',
    },
  );
  const at = `http://127.0.0.1:${port}`;
  if (!(await answers(`${at}/health`))) {
    await end(server);
    return 'VictoriaMetrics does not answer';
  }
  const text = async (path: string) => {
    const response = await fetch(at + path);
    const body = await response.text();
    if (!response.ok) throw new Error(`VictoriaMetrics: ${body.slice(0, 200)}`);
    return body;
  };
  const seconds = (ns: bigint) => Number(ns / 1_000_000n) / 1_000;
  return {
    name: 'VictoriaMetrics',
    async append(entries) {
      const lines = entries.map(({ key, sample }) => `value{point="${key.point}"} ${sample.value} ${sample.timeNs / 1_000_000n}`);
      const response = await fetch(`${at}/api/v1/import/prometheus`, { method: 'POST', body: lines.join('\n') });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`VictoriaMetrics answers ${response.status}`);
    },
    async read(point, fromNs, toNs) {
      const match = encodeURIComponent(`value{point="${point}"}`);
      const body = await text(`/api/v1/export?match[]=${match}&start=${seconds(fromNs)}&end=${seconds(toNs - 1n)}`);
      return body
        .split('\n')
        .filter((line) => line !== '')
        .reduce((sum, line) => sum + (JSON.parse(line) as { values: number[] }).values.length, 0);
    },
    async buckets(point, fromNs, toNs, count) {
      const step = Math.max(1, Math.round(seconds(toNs - fromNs) / count));
      const query = encodeURIComponent(`rollup(value{point="${point}"}[${step}s])`);
      const body = await text(`/api/v1/query_range?query=${query}&start=${seconds(fromNs)}&end=${seconds(toNs)}&step=${step}s&nocache=1`);
      return (JSON.parse(body) as { data: { result: { values: unknown[] }[] } }).data.result[0]?.values.length ?? 0;
    },
    async close() {
      await text('/internal/force_flush');
      await text('/internal/force_merge');
      // Merging goes on behind the answer, and ending in the midst of it leaves what is half done.
      for (let size = -1, tries = 0; size !== sizeOf(data) && tries < 20; tries++) {
        size = sizeOf(data);
        await new Promise((resolve) => setTimeout(resolve, 1_500));
      }
      await end(server);
      return sizeOf(data);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function end(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    server.once('exit', () => resolve());
    if (server.exitCode !== null || !server.kill('SIGTERM')) resolve();
  });
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .reduce((sum, one) => sum + statSync(join(one.parentPath, one.name)).size, 0);
}
