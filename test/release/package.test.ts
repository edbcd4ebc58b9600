import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, hostEnv, launch, type Message, protocol, root, stopAll } from '../wire/plugin.ts';
import { type Entry, id, panelId, release, unpack } from './release.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const platforms = ['linux_amd64', 'linux_arm64', 'windows_amd64'];
/** Debian's libraries for programs of another machine. */
const foreignLibraries = '/usr/aarch64-linux-gnu';

// Hundreds of megabytes are unpacked and hashed, beside whatever else the machine does.
vi.setConfig({ testTimeout: 120_000 });

let packages: string;
const trash: string[] = [];
beforeAll(async () => {
  packages = await release();
  trash.push(dirname(packages));
}, 300_000);
afterAll(async () => {
  await stopAll();
  for (const folder of trash) rmSync(folder, { recursive: true, force: true });
});

async function unpacked(archive: string, plugin = id): Promise<{ folder: string; entries: Entry[] }> {
  const found = await unpack(join(packages, archive), plugin);
  trash.push(dirname(found.folder));
  return found;
}

/** As the packer sorts: by UTF-16, whatever the machine's language. */
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const executable = (platform: string) => `gpx_fieldgate_${platform}${platform.startsWith('windows') ? '.exe' : ''}`;
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('a release', () => {
  it('is a package a platform, one of all, one of the panel, bills of materials and checksums that hold', () => {
    const zips = [...platforms.map((platform) => `${id}-${version}.${platform}.zip`), `${id}-${version}.zip`, `${panelId}-${version}.zip`];
    const bills = [id, panelId].map((name) => `${name}-${version}.cdx.json`);
    expect(readdirSync(packages).sort(byCode)).toEqual([...zips, ...bills, 'SHA256SUMS'].sort(byCode));
    const sums = readFileSync(join(packages, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
    expect(sums.map((line) => line.slice(66)).sort(byCode)).toEqual([...zips, ...bills].sort(byCode));
    for (const line of sums) expect(line).toBe(`${sha256(join(packages, line.slice(66)))}  ${line.slice(66)}`);
  });

  it.each([...platforms.map((platform) => [`.${platform}`, [platform]] as const), ['', platforms] as const])(
    'package %s holds one folder with what Grafana needs, executables 0755 and the rest 0644',
    async (suffix, inside) => {
      const { folder, entries } = await unpacked(`${id}-${version}${suffix}.zip`);
      const names = ['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'module.js', 'module.js.map', 'plugin.json'];
      const parts = ['config', 'query', 'transfer'].flatMap((part) => [`${part}.js`, `${part}.js.map`]);
      const native = inside.flatMap((platform) => [executable(platform), `serialport_${platform}.node`]);
      const images = entries.flatMap(({ name }) => (name.startsWith(`${id}/img/`) ? [name] : []));
      const { info, includes } = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')) as {
        info: PluginInfo;
        includes: { path: string }[];
      };
      const files = [...names, ...parts, ...native, ...includes.map(({ path }) => path)];
      const expected = [...files.map((name) => `${id}/${name}`), ...images];
      expect(entries.map(({ name }) => name)).toEqual(expected.sort(byCode));
      for (const { name, mode, time } of entries) {
        expect(mode.toString(8), name).toBe(name.includes('/gpx_') ? '100755' : '100644');
        expect(time, name).toEqual([...(entries[0]?.time.slice(0, 3) ?? []), 0, 0, 0]);
      }
      expect(info.version).toBe(version);
      const pictures = [...Object.values(info.logos), ...info.screenshots.map(({ path }) => path)];
      expect(pictures.filter((path) => !images.includes(`${id}/${path}`))).toEqual([]);
    },
  );

  it('the package of the panel holds one folder without anything native', async () => {
    const { folder, entries } = await unpacked(`${panelId}-${version}.zip`, panelId);
    const names = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES.txt',
      'img/logo.svg',
      'module.js',
      'module.js.map',
      'plugin.json',
    ];
    const pictures = entries.flatMap(({ name }) => (/\/img\/.*\.png$/.test(name) ? [name] : []));
    expect(entries.map(({ name }) => name)).toEqual([...names.map((name) => `${panelId}/${name}`), ...pictures].sort(byCode));
    for (const { name, mode } of entries) expect(mode.toString(8), name).toBe('100644');
    const { info, dependencies } = JSON.parse(readFileSync(join(folder, 'plugin.json'), 'utf8')) as {
      info: PluginInfo;
      dependencies: { plugins: { id: string; version: string }[] };
    };
    expect(info.version).toBe(version);
    expect(dependencies.plugins).toMatchObject([{ id, version }]);
    for (const { path } of info.screenshots) expect(pictures).toContain(`${panelId}/${path}`);
    const bill = JSON.parse(readFileSync(join(packages, `${panelId}-${version}.cdx.json`), 'utf8')) as { components?: { name: string }[] };
    expect((bill.components ?? []).map(({ name }) => name)).not.toContain('node');
    const { sources } = JSON.parse(readFileSync(join(folder, 'module.js.map'), 'utf8')) as { sources: string[] };
    expect(sources.filter((name) => name.includes(root))).toEqual([]);
  });

  it('has pages that read as well where the repository is not', async () => {
    const { folder } = await unpacked(`${id}-${version}.linux_amd64.zip`);
    const links = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/\]\(([^)]*)\)/g)].map((match) => match[1]);
    expect(links.filter((link) => !/^(https:|#)/.test(link ?? ''))).toEqual([]);
    // A map that names this machine's folders would say more than the source does.
    const { sources } = JSON.parse(readFileSync(join(folder, 'module.js.map'), 'utf8')) as { sources: string[] };
    expect(sources.filter((name) => !name.startsWith('webpack://')).concat(sources.filter((name) => name.includes(root)))).toEqual([]);
  });

  // Tried again, because whoever types in this checkout between the two builds makes them differ.
  it('is the same, byte for byte, in another folder, time zone and umask', { timeout: 120_000, retry: 2 }, async () => {
    const name = `${id}-${version}.linux_amd64.zip`;
    const here = await release(['linux_amd64']);
    trash.push(dirname(here));
    const before = process.umask(0o077);
    const elsewhere = await release(['linux_amd64'], { TZ: 'Asia/Kathmandu' }).finally(() => process.umask(before));
    trash.push(dirname(elsewhere));
    expect(sha256(join(elsewhere, name))).toBe(sha256(join(here, name)));
  });
});

interface PluginInfo {
  version: string;
  logos: Record<string, string>;
  screenshots: { path: string }[];
}

describe('the bill of materials', () => {
  interface Component {
    type: string;
    name: string;
    group?: string;
    version: string;
    purl?: string;
    hashes?: { alg: string; content: string }[];
    components?: Component[];
  }
  let text: string;
  let bill: { metadata: { component: Component }; components: Component[] };
  beforeAll(() => {
    text = readFileSync(join(packages, `${id}-${version}.cdx.json`), 'utf8');
    bill = JSON.parse(text) as typeof bill;
  });

  it('is CycloneDX 1.6', async () => {
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
  });

  it('names what is inside and nothing that only builds or tests it', () => {
    const names = bill.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    for (const name of ['@grpc/grpc-js', 'apache-arrow', 'mqtt', 'zod', 'prom-client', '@serialport/bindings-cpp', 'node'])
      expect(names).toContain(name);
    for (const name of ['vitest', 'esbuild', 'typescript', 'aedes', 'react', '@grafana/ui', 'postject', 'yazl'])
      expect(names).not.toContain(name);
    expect(bill.components.find(({ name }) => name === 'node')).toMatchObject({
      type: 'platform',
      version: '24.21.0',
      components: expect.arrayContaining([expect.objectContaining({ name: 'openssl' }), expect.objectContaining({ name: 'sqlite' })]),
    });
  });

  it('speaks of these very packages', () => {
    const files = bill.metadata.component.components ?? [];
    expect(files.map(({ name }) => name).sort(byCode)).toEqual(
      readdirSync(packages)
        .filter((name) => name.startsWith(id) && name.endsWith('.zip'))
        .sort(byCode),
    );
    for (const { name, hashes } of files) expect(hashes).toEqual([{ alg: 'SHA-256', content: sha256(join(packages, name)) }]);
  });

  it('and the licences that come along speak of all of them', async () => {
    const { folder } = await unpacked(`${id}-${version}.linux_arm64.zip`);
    const licenses = readFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const { purl, group, name, version: of } of bill.components) {
      const title = purl?.startsWith('pkg:npm/') ? `\n${group === undefined ? name : `${group}/${name}`} ${of} (` : `\nNode.js ${of} (`;
      expect(licenses).toContain(title);
    }
  });
});

describe('what is unpacked', () => {
  const pluginContext = {
    orgId: 1,
    dataSourceInstanceSettings: { id: 1, uid: 'u', name: 'n', jsonData: Buffer.from('{"version":1}'), lastUpdatedMS: 1 },
  };

  async function starts(command: string[]): Promise<void> {
    const plugin = await launch(command, hostEnv);
    expect(plugin.stdout()).toMatch(/^1\|2\|unix\|[^|]+\|grpc\|\n$/);
    const health = await ask(plugin.client(protocol.pluginv2.Diagnostics), 'CheckHealth', { pluginContext });
    expect(health.status).toBe('OK');
    expect(JSON.parse(String(health.jsonDetails)) as Message).toMatchObject({ storage: { mode: 'memory' } });
    const metrics = (await ask(plugin.client(protocol.pluginv2.Diagnostics), 'CollectMetrics')).metrics as Message;
    expect(String(metrics.prometheus)).toContain(`fieldgate_info{version="${version}"} 1`);
    await ask(plugin.client(protocol.plugin.GRPCController), 'Shutdown');
    // By itself. How an emulator ends, within the time there is for it or by a fault of its own, says nothing of us.
    const { code } = await plugin.exited;
    if (command.length === 1) expect(code).toBe(0);
    expect(plugin.stderr(), 'V8 refused the code cache of another build').not.toContain('rejected');
  }

  it('starts on the machine of its platform', async () => {
    const { folder } = await unpacked(`${id}-${version}.zip`);
    await starts([join(folder, executable(arch() === 'arm64' ? 'linux_arm64' : 'linux_amd64'))]);
  });

  it('starts on ARM, emulated where this machine is another', async () => {
    const { folder } = await unpacked(`${id}-${version}.linux_arm64.zip`);
    const emulator = arch() === 'arm64' ? [] : ['/usr/bin/qemu-aarch64', '-L', foreignLibraries];
    await starts([...emulator, join(folder, executable('linux_arm64'))]);
  }, 60_000);

  it('is a Windows program with our part inside', async () => {
    const { folder } = await unpacked(`${id}-${version}.windows_amd64.zip`);
    const bytes = readFileSync(join(folder, executable('windows_amd64')));
    expect(bytes.toString('latin1', 0, 2)).toBe('MZ');
    const header = bytes.readUInt32LE(0x3c);
    expect(bytes.toString('latin1', header, header + 4)).toBe('PE\0\0');
    expect(bytes.readUInt16LE(header + 4), 'x86-64').toBe(0x8664);
    // postject turns the fuse's last digit; Node looks for a blob only if it is 1. Resources of Windows have names in UTF-16.
    expect(bytes.includes('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1')).toBe(true);
    expect(bytes.includes(Buffer.from('NODE_SEA_BLOB', 'utf16le'))).toBe(true);
    expect(bytes.includes('fieldgate_info')).toBe(true);
  });

  it('has serialport’s native code of the same machine', async () => {
    const { folder } = await unpacked(`${id}-${version}.zip`);
    const start = (platform: string) => readFileSync(join(folder, `serialport_${platform}.node`)).subarray(0, 20);
    // ELF's e_machine: 62 is x86-64, 183 AArch64.
    expect([start('linux_amd64').readUInt16LE(18), start('linux_arm64').readUInt16LE(18)]).toEqual([62, 183]);
    expect(start('windows_amd64').toString('latin1', 0, 2)).toBe('MZ');
  });
});
