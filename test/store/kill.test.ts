import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { always, never, openForTest, startChild, temporaryFolder, until } from './fixtures.ts';

const kills = Number(process.env.FIELDGATE_SOAK ?? 0) > 0 ? 200 : 4;

it.each(['count', 'count-folding', 'count-upkeep'])(
  `keeps everything it acknowledged through ${kills} kills (%s)`,
  async (job) => {
    const folder = temporaryFolder();
    let acknowledged = -1;
    for (let kill = 0; kill < kills; kill++) {
      const child = startChild(job, folder);
      await until(() => child.lines.length > 0);
      // Any moment is as good.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      child.process.kill('SIGKILL');
      await child.exited;
      acknowledged = Math.max(acknowledged, Number(child.lines.at(-1)));
      // Not closed by the test's end but now: the next child needs the folder.
      const store = openForTest(folder);
      const [result] = await store.range(
        '1/child',
        [{ device: 'child', point: 'count' }],
        always,
        { quality: 'all', rowsMax: 1_000_000 },
        never,
      );
      // Copies that are there are whole: an interrupted one has no name.
      if (job === 'count-upkeep')
        for (const { name, sha256 } of await store.backups()) expect(checksumOf(join(folder, 'backups', name))).toBe(sha256);
      await store.close();
      const times = result?.columns.times ?? [];
      const values = result?.columns.values ?? [];
      expect(times.length).toBeGreaterThan(acknowledged);
      // Whole from the first to the last: a commit is there with all its samples or not at all.
      expect(times.at(-1)).toBe(BigInt(times.length - 1));
      expect(values.every((value, index) => value === BigInt(index))).toBe(true);
    }
    expect(acknowledged).toBeGreaterThan(0);
    const check = new DatabaseSync(join(folder, 'fieldgate.db'));
    expect(check.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    check.close();
  },
  1_800_000,
);

function checksumOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
