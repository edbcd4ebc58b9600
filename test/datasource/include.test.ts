import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { limits } from '../../src/contract/limits.ts';
import { createReader } from '../../src/datasource/reading.ts';
import { demoSettings } from './plant.ts';

let outside: string;
let folder: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'fieldgate-include-'));
  folder = join(outside, 'config');
  mkdirSync(join(folder, 'sites'), { recursive: true });
  onTestFinished(() => rmSync(outside, { recursive: true, force: true }));
});

const whole = demoSettings({ modbus: 1502, mqtt: 1883 });
const [plc, broker] = whole.connections;
const [boiler, room] = whole.devices;
const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

async function read(document: unknown, configPath: string | undefined = folder) {
  const reader = createReader({ drivers, profiles: [], ...(configPath === undefined ? {} : { configPath }) });
  const { plan } = await reader.read({ jsonData: Buffer.from(JSON.stringify(document)), secureJsonData: {} });
  return {
    faults: plan.faults.map(({ severity, place, message }) => `${severity} ${place}: ${message}`),
    devices: plan.connections.flatMap(({ devices }) => devices.map(({ id }) => id)),
    plan,
  };
}

describe('include', () => {
  it('takes connections, devices and profiles of files as if they stood in the settings', async () => {
    write('north.json', { connections: [plc], devices: [{ ...boiler, profile: 'meter' }] });
    write('sites/south.json', {
      devices: [room],
      profiles: [{ id: 'meter', points: [{ id: 'extra', address: { table: 'holding', register: 90, type: 'int16' } }] }],
    });
    const { faults, devices, plan } = await read({ include: ['north.json', 'sites/south.json'], connections: [broker] });
    expect(faults).toEqual([]);
    expect(new Set(devices)).toEqual(new Set(['boiler', 'room']));
    expect(plan.connections.find(({ connection }) => connection.id === 'plc')?.devices[0]?.points.map(({ id }) => id)).toContain('extra');
  });

  it('names the file and the place in it for what is wrong there', async () => {
    write('north.json', { connections: [plc], devices: [boiler, { ...room, connection: 'brokker' }] });
    write('twice.json', {
      devices: [
        { ...boiler, title: 'again' },
        { id: 'x', connection: 'plc', address: { unitId: 999 }, points: [] },
      ],
    });
    const { faults, devices } = await read({
      include: ['north.json', 'twice.json'],
      devices: [{ id: 'own', connection: 'none', points: [] }],
    });
    expect(faults).toContainEqual(expect.stringMatching(/^error devices\[0\]\.connection: /));
    expect(faults).toContainEqual(expect.stringMatching(/^error north\.json devices\[1\]\.connection: is "brokker"/));
    expect(faults).toContainEqual(
      expect.stringMatching(/^error twice\.json devices\[0\]\.id: is "boiler", which north\.json devices\[0\] has already/),
    );
    expect(faults).toContainEqual(expect.stringMatching(/^error twice\.json devices\[1\]\.address\.unitId: /));
    expect(devices).toEqual(['boiler']);
  });

  it.each([
    ['../secret.json', /^error include\[0\]: is "\.\.\/secret\.json"; allowed is the name of a file under config_path/],
    ['sites/../../secret.json', /^error include\[0\]: is ".*"; allowed is the name/],
    ['/etc/passwd.json', /^error include\[0\]: is ".*"; allowed is the name/],
    ['C:\\secret.json', /^error include\[0\]: is ".*"; allowed is the name/],
    ['.hidden.json', /^error include\[0\]: is ".*"; allowed is the name/],
    ['north.yaml', /^error include\[0\]: is ".*"; allowed is the name/],
    ['north.json\u0000', /^error include\[0\]: is ".*"; allowed is the name/],
    ['link.json', /^error include\[0\]: "link\.json" leads out of config_path/],
    ['linked/secret.json', /^error include\[0\]: "linked\/secret\.json" leads out of config_path/],
    ['absent.json', /^error include\[0\]: "absent\.json" cannot be read \(ENOENT\)$/],
    ['folder.json', /^error include\[0\]: "folder\.json" is no file$/],
    ['pipe.json', /^error include\[0\]: "pipe\.json" is no file$/],
    ['broken.json', /^error include\[0\]: "broken\.json" is not JSON: at line 2, column 3 /],
    ['list.json', /^error include\[0\]: "list\.json" is a list; allowed is an object with connections, devices and profiles$/],
    ['rights.json', /^error include\[0\]: "rights\.json" has "rights"; allowed in a file are connections, devices and profiles$/],
    ['word.json', /^error include\[0\]: "word\.json" has "none" as devices; allowed is a list$/],
    ['large.json', new RegExp(`^error include\\[0\\]: "large\\.json" has \\d+ bytes; allowed are ${limits.includedFileBytesMax}`)],
  ])('refuses %j, and the rest runs', async (name, fault) => {
    writeFileSync(join(outside, 'secret.json'), JSON.stringify({ devices: [room] }));
    symlinkSync(join(outside, 'secret.json'), join(folder, 'link.json'));
    symlinkSync(outside, join(folder, 'linked'));
    mkdirSync(join(folder, 'folder.json'));
    execFileSync('mkfifo', [join(folder, 'pipe.json')]);
    write('broken.json', '{\n  devices: [] }');
    write('list.json', [1, 2]);
    write('rights.json', { rights: { command: 'Editor' } });
    write('word.json', { devices: 'none' });
    if (name === 'large.json') write(name, JSON.stringify({ devices: [], pad: 'x'.repeat(limits.includedFileBytesMax) }));
    const { faults, devices } = await read({ include: [name], connections: [plc], devices: [boiler] });
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults.join()).not.toContain(outside);
    expect(devices).toEqual(['boiler']);
  });

  it('bounds the files of one data source together', async () => {
    const names = Array.from({ length: 5 }, (_, index) => `part-${index}.json`);
    for (const name of names) write(name, `${' '.repeat(limits.includedFileBytesMax - 100)}{}`);
    const { faults } = await read({ include: names });
    expect(faults).toEqual([expect.stringContaining(`include[4]: "part-4.json" has`)]);
    const many = await read({ include: Array.from({ length: limits.includedFilesMax + 1 }, () => 'part-0.json') });
    expect(many.faults).toHaveLength(1);
  });

  it('needs config_path, and says when its folder is not there', async () => {
    const reader = createReader({ drivers, profiles: [] });
    const { plan } = await reader.read({ jsonData: Buffer.from('{"include":["a.json"]}'), secureJsonData: {} });
    expect(plan.faults).toEqual([{ severity: 'error', place: 'include[0]', message: expect.stringContaining('config_path is not set') }]);
    const { faults } = await read({ include: ['a.json'] }, join(outside, 'nowhere'));
    expect(faults).toEqual([expect.stringContaining('the folder of config_path is not there (ENOENT)')]);
  });

  it('refuses a password in a URL of a file too', async () => {
    write('leaky.json', { connections: [{ ...broker, url: 'mqtt://user:open-sesame@127.0.0.1:1883' }] });
    const { faults } = await read({ include: ['leaky.json'] });
    expect(faults).toEqual([expect.stringMatching(/^error leaky\.json connections\[0\]\.url: has a user or password/)]);
    expect(faults.join()).not.toContain('open-sesame');
  });
});
