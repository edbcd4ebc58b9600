import { describe, expect, it } from 'vitest';
import type { CommandRecord } from '../../src/contract/command.ts';
import type { QualityFilter } from '../../src/store/store.ts';
import { always, entry, gateway, never, openForTest, temperature, temporaryFolder } from './fixtures.ts';

const places = [
  ['on disk', () => temporaryFolder()],
  ['in memory', () => undefined],
] as const;

function command(id: string, times: CommandRecord['times'], more: Partial<CommandRecord> = {}): CommandRecord {
  return {
    id,
    device: 'boiler',
    point: 'setpoint',
    kind: 'set',
    value: 55.5,
    state: 'queued',
    user: { login: 'ann', name: 'Ann', role: 'Editor' },
    times,
    ...more,
  };
}

describe.each(places)('the store %s', (where, folder) => {
  it('gives back what was appended, in order of time and in the types it came in', async () => {
    const store = openForTest(folder());
    await store.append(gateway, [entry(30n, 3.5), entry(10n, -0), entry(20n, null, { quality: 'bad', reason: 'timeout' })], { now: true });
    const [result, ...others] = await store.range(gateway, [temperature], always, { quality: 'all', rowsMax: 100 }, never);
    expect(others).toEqual([]);
    expect(result?.series).toEqual({ ...temperature, kind: 'double', firstNs: 10n, lastNs: 30n });
    expect(result?.columns).toEqual({
      kind: 'double',
      times: BigInt64Array.of(10n, 20n, 30n),
      values: Float64Array.of(-0, 0, 3.5),
      valid: Uint8Array.of(1, 0, 1),
      quality: Uint8Array.of(0, 2, 0),
      reasons: ['', 'timeout', ''],
    });
    expect(result?.cut).toBe(false);
    expect(store.status()).toMatchObject({
      mode: where === 'on disk' ? 'disk' : 'memory',
      pending: 0,
      committed: 3,
      dropped: 0,
      commits: 1,
    });
  });

  it('takes half-open ranges and filters by quality', async () => {
    const store = openForTest(folder());
    await store.append(gateway, [
      entry(1n, 1),
      entry(2n, 2, { quality: 'uncertain', reason: 'clock' }),
      entry(3n, null, { quality: 'bad', reason: 'crc' }),
      entry(4n, 4),
    ]);
    const times = async (quality: QualityFilter, fromNs = 0n, toNs = 10n) =>
      (await store.range(gateway, [temperature], { fromNs, toNs }, { quality, rowsMax: 100 }, never)).flatMap(({ columns }) => [
        ...columns.times,
      ]);
    expect(await times('good')).toEqual([1n, 4n]);
    expect(await times('usable')).toEqual([1n, 2n, 4n]);
    expect(await times('all')).toEqual([1n, 2n, 3n, 4n]);
    expect(await times('all', 2n, 4n)).toEqual([2n, 3n]);
    expect(await times('all', 5n)).toEqual([]);
  });

  it('keeps one sample a time: the one that arrived later', async () => {
    const store = openForTest(folder());
    const value = async () =>
      (await store.range(gateway, [temperature], always, { quality: 'all', rowsMax: 9 }, never)).map(({ columns }) => [...columns.values]);
    await store.append(gateway, [entry(5n, 1, { arrivalNs: 100n }), entry(5n, 1, { arrivalNs: 100n })], { now: true });
    expect(await value()).toEqual([[1]]);
    await store.append(gateway, [entry(5n, 2, { arrivalNs: 200n })], { now: true });
    expect(await value()).toEqual([[2]]);
    await store.append(gateway, [entry(5n, 3, { arrivalNs: 150n })], { now: true });
    expect(await value()).toEqual([[2]]);
    expect((await store.last(gateway))[0]?.sample).toMatchObject({ value: 2, arrivalNs: 200n });
  });

  it('makes a sibling series where a value is of another kind', async () => {
    const store = openForTest(folder());
    await store.append(
      gateway,
      [entry(1n, 1.5), entry(2n, 'jammed'), entry(3n, true), entry(4n, 2n ** 64n - 1n), entry(5n, 7n), entry(6n, Number.NaN)],
      { now: true },
    );
    const results = await store.range(gateway, [temperature], always, { quality: 'all', rowsMax: 100 }, never);
    expect(Object.fromEntries(results.map(({ columns }) => [columns.kind, [...columns.values]]))).toEqual({
      double: [1.5, 7, 0],
      string: ['jammed'],
      boolean: [1],
      uint64: [2n ** 64n - 1n],
    });
    expect(results.find(({ columns }) => columns.kind === 'double')?.columns).toMatchObject({
      valid: Uint8Array.of(1, 1, 0),
      reasons: ['', '', 'nan'],
    });
  });

  it('keeps texts as they are', async () => {
    const store = openForTest(folder());
    const texts = ['', 'a\u0000b', 'Wärme 🌡', "'; DROP TABLE sample; --", 'x'.repeat(65_536)];
    await store.append(
      gateway,
      texts.map((text, index) => entry(BigInt(index), text, { kind: 'string' })),
      { now: true },
    );
    const [result] = await store.range(gateway, [temperature], always, { quality: 'all', rowsMax: 9 }, never);
    expect(result?.columns.values).toEqual(texts);
  });

  it('keeps the newest rows of all series together when there are too many', async () => {
    const store = openForTest(folder());
    const [slow, fast, old] = ['slow', 'fast', 'old'].map((point) => ({ device: 'pump', point }));
    if (!slow || !fast || !old) throw new Error('three keys');
    await store.append(gateway, [
      ...Array.from({ length: 5_000 }, (_, index) => entry(BigInt(index), index, { key: fast })),
      ...Array.from({ length: 50 }, (_, index) => entry(BigInt(index * 100), index, { key: slow })),
      ...Array.from({ length: 300 }, (_, index) => entry(BigInt(index - 300), index, { key: old })),
    ]);
    const results = await store.range(gateway, [fast, slow, old], always, { quality: 'usable', rowsMax: 1_000 }, never);
    const first = Object.fromEntries(results.map(({ series, columns }) => [series.point, [columns.times[0], columns.times.length]]));
    // Of those that came at 4,009 or later 991 are fast and 9 are slow.
    expect(first).toEqual({ fast: [4_009n, 991], slow: [4_100n, 9], old: [undefined, 0] });
    expect(results.every(({ cut }) => cut)).toBe(true);
  });

  it('has the last sample of each series, also one that waits for its commit', async () => {
    const store = openForTest(folder(), { flushIntervalMs: 60_000 });
    await store.append(gateway, [entry(1n, 1)], { now: true });
    const waiting = store.append(gateway, [entry(3n, 3), entry(2n, 2)]);
    expect(store.status().pending).toBe(2);
    expect(await store.last(gateway)).toEqual([
      { series: { ...temperature, kind: 'double', firstNs: 1n, lastNs: 3n }, sample: entry(3n, 3).sample },
    ]);
    expect(await store.last('2/other')).toEqual([]);
    await store.flush();
    await waiting;
  });

  it('keeps gateways apart', async () => {
    const store = openForTest(folder());
    await Promise.all([store.append('1/a', [entry(1n, 1)]), store.append('1/b', [entry(1n, 2)])]);
    const values = async (name: string) =>
      (await store.range(name, [temperature], always, { quality: 'all', rowsMax: 9 }, never)).map(({ columns }) => [...columns.values]);
    expect([await values('1/a'), await values('1/b'), await values('1/c')]).toEqual([[[1]], [[2]], []]);
  });

  it('records commands: replaces by id, finds by key, lists the newest first', async () => {
    const store = openForTest(folder());
    await store.saveCommand(gateway, command('c1', { queued: 1_000 }, { idempotencyKey: 'k1', value: 2n ** 60n + 1n }));
    await store.saveCommand(gateway, command('c2', { queued: 2_000 }));
    await store.saveCommand(gateway, command('c3', { queued: 3_000, ended: 3_100 }, { state: 'rejected' }));
    await store.saveCommand(gateway, command('c2', { queued: 2_000, sent: 2_001, ended: 2_100 }, { state: 'verified', readBack: -0 }));
    const ids = async (options: Parameters<typeof store.commands>[1]) => (await store.commands(gateway, options)).map(({ id }) => id);
    expect(await ids({ limit: 10 })).toEqual(['c3', 'c2', 'c1']);
    expect(await ids({ limit: 2 })).toEqual(['c3', 'c2']);
    expect(await ids({ limit: 10, open: true })).toEqual(['c1']);
    await store.saveCommand(gateway, command('other', { queued: 4_000 }, { point: 'other' }));
    expect(await ids({ limit: 10, target: { device: 'boiler', point: 'other' } })).toEqual(['other']);
    expect(await ids({ limit: 10, target: { device: 'boiler', point: 'never' } })).toEqual([]);
    expect(await ids({ limit: 10, range: { fromNs: 2_000_000_000n, toNs: 3_000_000_000n } })).toEqual(['c2']);
    expect(await store.command(gateway, 'c2')).toEqual(
      command('c2', { queued: 2_000, sent: 2_001, ended: 2_100 }, { state: 'verified', readBack: -0 }),
    );
    expect((await store.commandByKey(gateway, 'k1'))?.value).toBe(2n ** 60n + 1n);
    expect(await store.command('2/other', 'c2')).toBeUndefined();
    expect(await store.commandByKey(gateway, 'k2')).toBeUndefined();
  });

  it('knows connectivity at the start of a range', async () => {
    const store = openForTest(folder());
    const change = (device: string, timeNs: bigint, state: 'online' | 'offline') => ({
      device,
      timeNs,
      state,
      reason: state === 'online' ? '' : 'timeout',
    });
    const all = [
      change('boiler', 10n, 'online'),
      change('boiler', 20n, 'offline'),
      change('boiler', 30n, 'online'),
      change('pump', 15n, 'online'),
    ];
    await store.appendConnectivity(gateway, all);
    expect(await store.connectivity(gateway, ['pump', 'boiler'], { fromNs: 25n, toNs: 30n }, never)).toEqual([all[3], all[1]]);
    expect(await store.connectivity(gateway, ['boiler'], { fromNs: 20n, toNs: 31n }, never)).toEqual([all[0], all[1], all[2]]);
    expect(await store.connectivity(gateway, ['nobody'], always, never)).toEqual([]);
    await store.append(gateway, [entry(5n, 1), entry(40n, 2)]);
    expect(await store.expire(gateway, 25n)).toBe(1);
    expect(await store.connectivity(gateway, ['boiler'], always, never)).toEqual([all[1], all[2]]);
  });

  it('remembers small maps, forgets a key, refuses a value without bound', async () => {
    const store = openForTest(folder());
    await Promise.all([
      store.remember(gateway, 'plc', 'ranges', [[0, 10]]),
      store.remember(gateway, 'plc', 'seen', { count: 3n }),
      store.remember(gateway, 'other', 'x', 1),
    ]);
    expect(await store.recall(gateway, 'plc')).toEqual(
      new Map<string, unknown>([
        ['ranges', [[0, 10]]],
        ['seen', { count: 3n }],
      ]),
    );
    await store.remember(gateway, 'plc', 'ranges', undefined);
    expect([...(await store.recall(gateway, 'plc')).keys()]).toEqual(['seen']);
    await expect(store.remember(gateway, 'plc', 'big', 'x'.repeat(2_000_000))).rejects.toMatchObject({ type: 'storage-full' });
    expect(await store.recall('2/other', 'plc')).toEqual(new Map());
  });

  it('refuses everything after close, which may be called again', async () => {
    const store = openForTest(folder());
    await store.append(gateway, [entry(1n, 1)]);
    await Promise.all([store.close(), store.close()]);
    await expect(store.append(gateway, [entry(2n, 2)])).rejects.toMatchObject({ type: 'storage-closed' });
    await expect(store.range(gateway, [temperature], always, { quality: 'all', rowsMax: 1 }, never)).rejects.toMatchObject({
      type: 'storage-closed',
    });
    await expect(store.saveCommand(gateway, command('c', {}))).rejects.toMatchObject({ type: 'storage-closed' });
  });
});

it('still has everything after it was closed and opened again', async () => {
  const folder = temporaryFolder();
  const before = openForTest(folder);
  await before.append(gateway, [
    entry(1n, 1.5, { arrivalNs: 9n }),
    entry(2n, 2n ** 63n, { kind: 'uint64' }),
    entry(3n, 'on', { kind: 'string' }),
  ]);
  await before.remember(gateway, 'plc', 'x', 1);
  await before.close();
  const after = openForTest(folder);
  expect(await after.last(gateway)).toEqual([
    { series: { ...temperature, kind: 'double', firstNs: 1n, lastNs: 1n }, sample: entry(1n, 1.5, { arrivalNs: 9n }).sample },
    { series: { ...temperature, kind: 'uint64', firstNs: 2n, lastNs: 2n }, sample: entry(2n, 2n ** 63n).sample },
    { series: { ...temperature, kind: 'string', firstNs: 3n, lastNs: 3n }, sample: entry(3n, 'on').sample },
  ]);
  expect(await after.recall(gateway, 'plc')).toEqual(new Map([['x', 1]]));
  await after.append(gateway, [entry(4n, 4.5)], { now: true });
  const [double] = await after.range(gateway, [temperature], always, { quality: 'all', rowsMax: 9 }, never);
  expect(double?.columns.values).toEqual(Float64Array.of(1.5, 4.5));
});
