import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import type { InstanceSettings } from '../../src/contract/caller.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import { silentLog } from '../../src/contract/log.ts';
import { createLedger } from '../../src/datasource/remembered/ledger.ts';
import { createMemory } from '../../src/datasource/remembered/memory.ts';
import { createVault } from '../../src/datasource/remembered/vault.ts';
import { Resting, type RestingInstance } from '../../src/datasource/resting.ts';
import { readSection } from '../../src/datasource/section.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { fastClock } from '../gateway/clocks.ts';

let folder: string;
let store: Store;
const password = 'open-sesame-4711';
const stateKey = 'a state key that is long enough';
const about = '1/plant/7';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fieldgate-remembered-'));
  store = openStore({ folder, clock: systemClock, log: silentLog, flushIntervalMs: 10 });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

function settings(over: Partial<InstanceSettings> = {}): InstanceSettings {
  const jsonData = Buffer.from('{"version":1,"timezone":"Europe/Vienna"}');
  return { id: 7, uid: 'plant', name: 'Plant', jsonData, secureJsonData: { 'broker.password': password }, lastUpdatedMs: 5, ...over };
}

const ledgerWith = (key: string | undefined = stateKey) => createLedger({ store, vault: createVault({ stateKey: key, folder }) });

describe('the vault', () => {
  it.each([stateKey, undefined])('opens what it has sealed, in another process too, and only for the same (%s)', async (key) => {
    const sealed = await createVault({ stateKey: key, folder }).seal(password, about);
    expect(sealed).not.toContain(password);
    const later = createVault({ stateKey: key, folder });
    expect(await later.unseal(sealed, about)).toEqual({ text: password, source: key ? 'state' : 'file' });
    expect(await later.unseal(sealed, '1/plant/8')).toMatchObject({ why: expect.any(String) });
    expect(await later.seal(password, about), 'a nonce is used once').not.toBe(sealed);
  });

  it('does not open what was changed, cut or written by somebody else, and says so without throwing', async () => {
    const vault = createVault({ stateKey, folder });
    const sealed = await vault.seal(password, about);
    const parts = sealed.split('.');
    const flipped = Buffer.from(parts[4] ?? '', 'base64url');
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    for (const bad of [
      [...parts.slice(0, 4), flipped.toString('base64url')].join('.'),
      sealed.slice(0, -8),
      parts.slice(0, 4).join('.'),
      'fg9.state.a.b.c',
      'fg1.file.AAAA.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA',
      '',
      '{}',
    ])
      expect(await vault.unseal(bad, about)).toEqual({ why: expect.stringMatching(/state_key|key file|version/) });
  });

  it('names what is missing: another key, no key any more, another key file', async () => {
    const sealed = await createVault({ stateKey, folder }).seal(password, about);
    expect(await createVault({ stateKey: `${stateKey}!`, folder }).unseal(sealed, about)).toEqual({
      why: 'state_key is not the one they were encrypted with',
    });
    expect(await createVault({ stateKey: undefined, folder }).unseal(sealed, about)).toEqual({ why: 'state_key is not set any more' });
    const byFile = await createVault({ stateKey: undefined, folder }).seal(password, about);
    writeFileSync(join(folder, 'fieldgate.key'), Buffer.alloc(32, 7));
    expect(await createVault({ stateKey: undefined, folder }).unseal(byFile, about)).toEqual({
      why: 'the key file is missing or another one',
    });
  });

  it('makes its key file for this user alone, keeps it, and replaces one that holds no key', async () => {
    const path = join(folder, 'fieldgate.key');
    await createVault({ stateKey: undefined, folder }).seal(password, about);
    expect(statSync(path)).toMatchObject({ size: 32, mode: 0o100600 });
    const before = readFileSync(path);
    chmodSync(path, 0o644);
    await createVault({ stateKey: undefined, folder }).seal(password, about);
    expect(readFileSync(path)).toEqual(before);
    expect(statSync(path).mode).toBe(0o100600);
    writeFileSync(path, 'short');
    await createVault({ stateKey: undefined, folder }).seal(password, about);
    expect(statSync(path)).toMatchObject({ size: 32, mode: 0o100600 });
    expect(readdirSync(folder).filter((name) => name.startsWith('fieldgate.key'))).toEqual(['fieldgate.key']);
  });
});

describe('the ledger', () => {
  it('brings back what was saved, and nothing of a password is in any file', async () => {
    const ledger = ledgerWith();
    await ledger.save(1, settings(), 86_400_000);
    await ledger.named('1/plant', 12_345);
    await ledger.save(2, settings({ secureJsonData: {} }), 1, true);
    await store.flush();
    expect(await ledgerWith().load()).toMatchObject([
      { key: '1/plant', orgId: 1, settings: settings(), retentionMs: 86_400_000, removed: false, namedAtMs: 12_345, stale: false },
      { key: '2/plant', orgId: 2, settings: { secureJsonData: {} }, removed: true, namedAtMs: 0 },
    ]);
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(password)).toBe(false);
  });

  it('drops the secrets and nothing else where the key is another, or the entry was moved to another id', async () => {
    await ledgerWith().save(1, settings(), 1);
    const [changed] = await ledgerWith('quite another state key').load();
    expect(changed).toMatchObject({ settings: { ...settings(), secureJsonData: {} }, lost: { names: ['broker.password'] } });
    const records = await store.recall('', 'instances');
    await store.remember('', 'instances', '1/plant', { ...(records.get('1/plant') as object), id: 8 });
    expect((await ledgerWith().load())[0]).toMatchObject({ settings: { id: 8, secureJsonData: {} }, lost: { names: ['broker.password'] } });
  });

  it('leaves out what it does not understand, and remembers no settings that would start nothing', async () => {
    await store.remember('', 'instances', '1/odd', { orgId: 'one' });
    await store.remember('', 'instances', '1/null', null);
    const tooLarge = settings({ uid: 'large', jsonData: Buffer.alloc(limits.settingsBytesMax + 1, 32) });
    const noText = settings({ uid: 'no-text', jsonData: Buffer.of(0xff, 0xfe) });
    const deep = settings({ uid: 'deep', jsonData: Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)) });
    const broken = settings({ uid: 'broken', jsonData: Buffer.from(`{"url":"mqtt://user:${password}@host"`) });
    for (const one of [tooLarge, noText, deep, broken]) await ledgerWith().save(1, one, 1);
    const found = await ledgerWith().load();
    expect(found.map(({ key, settings: { jsonData } }) => [key, jsonData.length])).toEqual([
      ['1/broken', 0],
      ['1/deep', 0],
      ['1/large', 0],
      ['1/no-text', 0],
    ]);
  });

  it('does not write down a password that stands in a URL, and what it writes is refused as well', async () => {
    const document = {
      connections: [
        { id: 'b', kind: 'mqtt', url: `mqtt://user:${password}@127.0.0.1:1883` },
        { id: 'c', kind: 'mqtt', url: 'mqtt://127.0.0.1' },
      ],
    };
    await ledgerWith().save(1, settings({ jsonData: Buffer.from(JSON.stringify(document)), secureJsonData: {} }), 1);
    await store.flush();
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(password)).toBe(false);
    const [found] = await ledgerWith().load();
    const plan = readSettings(found?.settings ?? settings(), drivers);
    expect(plan.connections.map(({ connection }) => connection.id)).toEqual(['c']);
    expect(plan.faults).toEqual([
      expect.objectContaining({ place: 'connections[0].url', message: expect.stringContaining('password in its URL') }),
    ]);
  });

  it('keeps the rest when secrets cannot be encrypted, and says so', async () => {
    const vault = createVault({ stateKey: undefined, folder: join(folder, 'nowhere') });
    await expect(createLedger({ store, vault }).save(1, settings(), 1)).rejects.toThrow(/secrets are not remembered.*ENOENT/);
    expect((await ledgerWith().load())[0]).toMatchObject({
      settings: { name: 'Plant', secureJsonData: {} },
      lost: { names: ['broker.password'], why: 'they could not be encrypted' },
    });
  });
});

describe('the memory', () => {
  it('waits for the folder, writes only then, and only the latest of what waited', async () => {
    await store.flush();
    const second = openStore({ folder, clock: systemClock, log: silentLog, flushIntervalMs: 10 });
    onTestFinished(() => second.close());
    const saved: number[] = [];
    let found: unknown[] | undefined;
    const vault = createVault({ stateKey, folder });
    const memory = createMemory({ ledger: createLedger({ store: second, vault }), clock: systemClock, log: silentLog }, (all) => {
      found = all;
    });
    onTestFinished(() => memory.close());
    await memory.tried;
    expect([memory.ready, found]).toEqual([false, undefined]);
    const writes = [1, 2, 3].map((number) =>
      memory.write('1/plant', async (ledger) => {
        saved.push(number);
        await ledger.save(1, settings({ id: number }), 1);
      }),
    );
    await ledgerWith().save(1, settings({ id: 99 }), 1);
    await store.close();
    await Promise.all(writes);
    expect(saved).toEqual([3]);
    expect(found).toMatchObject([{ settings: { id: 99 } }]);
    expect(await createLedger({ store: second, vault }).load()).toMatchObject([{ settings: { id: 3 } }]);
  });
});

describe('instances that rest', () => {
  const resting: RestingInstance = { orgId: 1, uid: 'plant', id: 7, name: 'Plant', state: 'stopped', lastNamed: 0, retentionMs: 3_600_000 };
  const sample = (timeNs: bigint) => ({
    key: { device: 'boiler', point: 'temp' },
    kind: 'double' as const,
    sample: { timeNs, arrivalNs: timeNs, value: 1, quality: 'good' as const, reason: '' as const },
  });

  it('lose what is older than their retention, as if they ran; a removed one is forgotten with its last sample', async () => {
    // A minute until the first look, an hour until the next.
    const clock = fastClock(2_000);
    // History is deleted by the store's own clock; its time-outs are those of the real one.
    const store = openStore({ folder: undefined, clock: { ...systemClock, nowMs: clock.nowMs, nowNs: clock.nowNs }, log: silentLog });
    onTestFinished(() => store.close());
    const now = clock.nowNs();
    const fresh = now - 1_000_000_000n;
    for (const key of ['1/stopped', '1/removed', '1/other']) {
      await store.append(key, [sample(now - 7_200_000_000_000n), sample(fresh)], { now: true });
    }
    await store.remember('1/removed', 'channels', 'x', { some: 'thing' });
    const forgotten: string[] = [];
    const known = new Resting({ store, clock, log: silentLog, forget: (key) => forgotten.push(key) });
    onTestFinished(() => known.close());
    known.add('1/stopped', resting);
    known.add('1/removed', { ...resting, state: 'removed' });
    await expect.poll(async () => (await store.series('1/stopped'))[0]?.firstNs, { timeout: 5_000 }).toBe(fresh);
    await expect.poll(async () => (await store.series('1/removed'))[0]?.firstNs, { timeout: 5_000 }).toBe(fresh);
    expect(forgotten).toEqual([]);
    await expect.poll(() => forgotten, { timeout: 10_000 }).toEqual(['1/removed']);
    expect(await store.series('1/stopped')).toEqual([]);
    expect(await store.recall('1/removed', 'channels')).toEqual(new Map());
    expect(known.of(1)).toMatchObject([{ uid: 'plant', state: 'stopped' }]);
    expect(await store.series('1/other')).toHaveLength(1);
  });

  it('are bounded: the one that was not named for longest is forgotten', () => {
    const forgotten: string[] = [];
    const known = new Resting({ store, clock: systemClock, log: silentLog, forget: (key) => forgotten.push(key) });
    onTestFinished(() => known.close());
    for (let index = 0; index <= limits.instancesRestingMax; index++)
      known.add(`1/${index}`, { ...resting, lastNamed: index === 500 ? -1 : index });
    expect(forgotten).toEqual(['1/500']);
    expect(known.counts()).toEqual({ stopped: limits.instancesRestingMax, removed: 0 });
  });
});

describe('everything of a gateway', () => {
  it('is erased, and nothing of another', async () => {
    const record = {
      id: 'c1',
      device: 'boiler',
      point: 'temp',
      kind: 'set' as const,
      value: 1,
      state: 'verified' as const,
      user: { login: 'a', name: 'A', role: 'Editor' },
      times: { queued: 1, ended: 2 },
    };
    for (const key of ['1/gone', '1/stays']) {
      await store.append(
        key,
        Array.from({ length: 20_000 }, (_, index) => ({
          key: { device: 'boiler', point: `p${index % 3}` },
          kind: 'double' as const,
          sample: { timeNs: BigInt(index), arrivalNs: BigInt(index), value: index, quality: 'good' as const, reason: '' as const },
        })),
        { now: true },
      );
      await store.saveCommand(key, record);
      await store.appendConnectivity(key, [{ device: 'boiler', timeNs: 5n, state: 'online', reason: '' }]);
      await store.remember(key, 'driver', 'x', 1);
    }
    expect(await store.erase('1/gone')).toBe(20_000);
    const all = { fromNs: 0n, toNs: 10n };
    const left = async (key: string) => [
      (await store.series(key)).length,
      (await store.commands(key, { limit: 9 })).length,
      (await store.connectivity(key, ['boiler'], all, new AbortController().signal)).length,
      (await store.recall(key, 'driver')).size,
    ];
    expect(await left('1/gone')).toEqual([0, 0, 0, 0]);
    expect(await left('1/stays')).toEqual([3, 1, 1, 1]);
    expect(await store.erase('1/gone')).toBe(0);
    await store.append(
      '1/gone',
      [
        {
          key: { device: 'boiler', point: 'p0' },
          kind: 'double',
          sample: { timeNs: 1n, arrivalNs: 1n, value: 2, quality: 'good', reason: '' },
        },
      ],
      { now: true },
    );
    expect(await store.last('1/gone')).toMatchObject([{ sample: { value: 2 } }]);
  });
});

describe('the section of grafana.ini', () => {
  it.each([
    [{}, { active: true, resumeForMs: 604_800_000 }],
    [{ GF_PLUGIN_ACTIVE: 'false' }, { active: false }],
    [{ GF_PLUGIN_ACTIVE: ' OFF ' }, { active: false }],
    [{ GF_PLUGIN_ACTIVE: 'True' }, { active: true }],
    [{ GF_PLUGIN_RESUME_FOR: '12h' }, { resumeForMs: 43_200_000 }],
    [
      { GF_PLUGIN_STATE_KEY: stateKey, GF_PLUGIN_CONFIG_PATH: '/etc/fieldgate' },
      { stateKey, configPath: '/etc/fieldgate' },
    ],
  ])('is read: %j', (env, section) => {
    expect(readSection(env)).toMatchObject({ ...section, faults: [] });
  });

  it.each([
    [{ GF_PLUGIN_ACTIVE: 'flase' }, { active: false }, /active is "flase"; allowed is true or false/],
    [{ GF_PLUGIN_RESUME_FOR: '7' }, { resumeForMs: 604_800_000 }, /resume_for is "7"; allowed is a duration.*from 1s to/],
    [{ GF_PLUGIN_RESUME_FOR: '0s' }, { resumeForMs: 604_800_000 }, /resume_for is "0s"/],
    [{ GF_PLUGIN_STATE_KEY: 'short' }, { active: true }, /state_key has 5 characters and is not used; allowed are at least 16/],
  ])('says what is wrong and does no harm: %j', (env, section, fault) => {
    const read = readSection(env);
    expect(read).toMatchObject({ ...section, faults: [expect.stringMatching(fault)] });
    expect(read.stateKey).toBeUndefined();
    expect(read.faults.join()).not.toContain('short');
  });
});
