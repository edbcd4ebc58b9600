/** What the plugin's own section of grafana.ini says of the history, and what comes of it. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readSection } from '../../src/datasource/section.ts';
import type { Entry } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, temporaryFolder } from '../store/fixtures.ts';
import { type Plant, startPlant } from './plant.ts';

const plants: Plant[] = [];
afterEach(() => Promise.all(plants.splice(0).map((plant) => plant.close())));

describe('the section', () => {
  it.each([
    [{}, {}],
    [
      { GF_PLUGIN_DURABILITY: 'power-loss', GF_PLUGIN_SYNCS_PER_SECOND: '5' },
      { durability: 'power-loss', syncsPerSecondMax: 5 },
    ],
    [{ GF_PLUGIN_DURABILITY: ' commit ' }, { durability: 'commit' }],
    [{ GF_PLUGIN_HISTORY_SIZE: '16MiB' }, { bytesMax: 16_777_216 }],
    [{ GF_PLUGIN_HISTORY_SIZE: '1.5 GB' }, { bytesMax: 1_500_000_000 }],
    [{ GF_PLUGIN_HISTORY_SIZE: '2TiB' }, { bytesMax: 2_199_023_255_552 }],
    [{ GF_PLUGIN_SERIES_MAX: '1000000' }, { seriesMax: 1_000_000 }],
  ])('is read: %j', (env, history) => {
    expect(readSection(env)).toMatchObject({ history, faults: [] });
    expect(readSection(env).history).toEqual(history);
  });

  it.each([
    [
      { GF_PLUGIN_DURABILITY: 'power loss' },
      'durability is "power loss"; allowed is commit (what is acknowledged survives the death of the process) or power-loss (it survives a power cut too)',
    ],
    [{ GF_PLUGIN_SYNCS_PER_SECOND: '0' }, 'syncs_per_second is "0"; allowed is a whole number from 1 to 1000'],
    [{ GF_PLUGIN_SYNCS_PER_SECOND: '2.5' }, 'syncs_per_second is "2.5"; allowed is a whole number from 1 to 1000'],
    [{ GF_PLUGIN_SYNCS_PER_SECOND: '1001' }, 'syncs_per_second is "1001"; allowed is a whole number from 1 to 1000'],
    [{ GF_PLUGIN_HISTORY_SIZE: '20' }, 'history_size is "20"; allowed is a size such as "500MiB" or "20GiB", at least 16MiB'],
    [{ GF_PLUGIN_HISTORY_SIZE: '15MiB' }, 'history_size is "15MiB"; allowed is a size such as "500MiB" or "20GiB", at least 16MiB'],
    [{ GF_PLUGIN_HISTORY_SIZE: '-1GiB' }, 'history_size is "-1GiB"; allowed is a size such as "500MiB" or "20GiB", at least 16MiB'],
    [{ GF_PLUGIN_SERIES_MAX: 'many' }, 'series_max is "many"; allowed is a whole number from 1 to 1000000'],
    [{ GF_PLUGIN_SERIES_MAX: '1000001' }, 'series_max is "1000001"; allowed is a whole number from 1 to 1000000'],
  ])('says what is wrong, and the default holds: %j', (env, fault) => {
    expect(readSection(env)).toMatchObject({ history: {}, faults: [fault] });
    expect(readSection(env).history).toEqual({});
  });
});

it('history_size is kept: the oldest samples go, and the disk has the space back', async () => {
  const { bytesMax = 0 } = readSection({ GF_PLUGIN_HISTORY_SIZE: '16MiB' }).history;
  const folder = temporaryFolder();
  const store = openForTest(folder, { bytesMax });
  const size = () => statSync(join(folder, 'fieldgate.db')).size;
  // Values that no codec makes smaller: 8 bytes each and more, 32 MB together.
  let total = 0;
  let largest = 0;
  const add = async () => {
    const batch = Array.from({ length: 20_000 }, (_, index): Entry => entry(BigInt(total + index) * 1_000_000_000n, Math.random()));
    await store.append(gateway, batch, { now: true });
    total += batch.length;
    largest = Math.max(largest, size());
  };
  const trimmedSoFar = () => store.status().trimmed ?? 0;
  while (total < 3_200_000) await add();
  // The bound is looked at with commits: until the next trimming the file may be above it by what a fold adds.
  const before = trimmedSoFar();
  while (trimmedSoFar() === before && total < 6_400_000) await add();
  // The last trimming may still be under way; an expiry of nothing comes after it.
  await store.expire(gateway, -1n);
  const { trimmed = 0, dropped } = store.status();
  expect(dropped).toBe(0);
  expect(trimmed).toBeGreaterThan(total / 4);
  const [counted] = await store.buckets(
    gateway,
    [{ device: 'boiler', point: 'flow_temp' }],
    always,
    { quality: 'all', aggregate: 'count', edges: BigInt64Array.of(0n, 10n ** 18n) },
    never,
  );
  expect((counted?.values[0] ?? 0) + trimmed).toBe(total);
  const [series] = await store.series(gateway);
  expect(series).toMatchObject({ lastNs: BigInt(total - 1) * 1_000_000_000n, firstNs: BigInt(trimmed) * 1_000_000_000n });
  await store.close();
  expect(size()).toBeLessThanOrEqual(bytesMax);
  // Between two looks it is above by what the log has before it is folded.
  expect(largest).toBeLessThan(2 * bytesMax);
}, 60_000);

it('series_max is told in health: to Admins with the last name, and what there is goes on', async () => {
  const plant = await startPlant({ devices: [], connections: [] }, { history: readSection({ GF_PLUGIN_SERIES_MAX: '2' }).history });
  plants.push(plant);
  await plant.until('devices', ({ status }) => status === 200);
  const say = (point: string) => plant.store.append('1/plant', [entry(1n, 1, { key: { device: 'd', point } })], { now: true });
  await say('a');
  await say('b');
  expect((await plant.health()).message).not.toContain('series_max');
  await expect(say('c')).rejects.toMatchObject({ type: 'too-many-series' });
  await say('a');
  const admin = await plant.health('Admin');
  expect(admin.status).toBe('ok');
  expect(admin.message).toContain('history takes no new series (series_max is 2): 1 sample refused, the last of d.c');
  const viewer = await plant.health('Viewer');
  expect(viewer.message).toContain('history takes no new series (series_max is 2): 1 sample refused');
  expect(viewer.message).not.toContain('d.c');
});
