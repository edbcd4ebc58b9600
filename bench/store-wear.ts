/**
 * What a night of a small plant writes to its SD card: a hundred points once a second, as the default settings commit them, counted by the system's own
 * tracer. Beside it node:sqlite with a row a sample, a commit a second. A second takes no second here: what is written does not depend on it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/contract/clock.ts';
import { silentLog } from '../src/contract/log.ts';
import { openStore } from '../src/store/open.ts';
import { createPlant } from './store-data.ts';

/** Long enough for a fold, which comes after 65 minutes. */
const hours = 2;
const seriesCount = 100;
const [job, folder = ''] = process.argv.slice(2);

async function runOurs(durability: 'commit' | 'power-loss'): Promise<void> {
  const store = openStore({ folder, clock: systemClock, log: silentLog, durability, syncsPerSecondMax: 1_000 });
  const plant = createPlant(seriesCount);
  for (let second = 0; second < hours * 3_600; second++) await store.append('1/bench', plant.next(seriesCount), { now: true });
  await store.close();
}

function runRows(): void {
  const database = new DatabaseSync(join(folder, 'rows.db'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE sample (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) WITHOUT ROWID');
  const insert = database.prepare('INSERT INTO sample VALUES (?, ?, ?)');
  const plant = createPlant(seriesCount);
  for (let second = 0; second < hours * 3_600; second++) {
    database.exec('BEGIN');
    for (const [series, { sample }] of plant.next(seriesCount).entries()) insert.run(series, sample.timeNs, Number(sample.value));
    database.exec('COMMIT');
  }
  database.close();
}

/** Runs this file once more under the tracer. */
function count(name: string): { bytes: number; syncs: number } {
  const place = mkdtempSync(join(tmpdir(), 'fieldgate-wear-'));
  try {
    const trace = join(place, 'trace');
    const calls = 'trace=pwrite64,write,fsync,fdatasync';
    const { status, stderr } = spawnSync(
      'strace',
      ['-f', '--seccomp-bpf', '-s', '0', '-e', calls, '-y', '-o', trace, process.execPath, fileURLToPath(import.meta.url), name, place],
      { maxBuffer: 2 ** 24 },
    );
    if (status !== 0) throw new Error(`strace: ${stderr}`);
    let [bytes, syncs] = [0, 0];
    for (const line of readFileSync(trace, 'latin1').split('\n')) {
      if (/\bf(data)?sync\(/.test(line)) syncs += 1;
      else if (line.includes(place)) bytes += Number(/ = (\d+)$/.exec(line)?.[1] ?? 0);
      // A call that another thread interrupted is told in two lines, the second of which has the number but no name of a file.
      else if (/<\.\.\. p?write(64)? resumed/.test(line)) bytes += Number(/ = (\d+)$/.exec(line)?.[1] ?? 0);
    }
    return { bytes, syncs };
  } finally {
    rmSync(place, { recursive: true });
  }
}

if (job === 'commit' || job === 'power-loss') await runOurs(job);
else if (job === 'rows') runRows();
else {
  const samples = hours * 3_600 * seriesCount;
  console.log(`on the medium an hour: ${seriesCount} points once a second, a commit a second`);
  for (const [name, what] of [
    ['commit', 'fieldgate (durability = commit, as it comes)'],
    ['power-loss', 'fieldgate (durability = power-loss)'],
    ['rows', 'node:sqlite, a row a sample'],
  ] as const) {
    const { bytes, syncs } = count(name);
    console.log(
      `    ${what}: ${(bytes / hours / 1e6).toFixed(1)} MB, ${(bytes / samples).toFixed(0)} bytes a sample, ${Math.round(syncs / hours)} fsyncs`,
    );
  }
}
