/** Ports near and far: device servers, USB names, lists of ports, and a plug that is pulled again and again. */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { listPorts } from '../../drivers/serial/survey/list.ts';
import { findPorts } from '../../drivers/tty/ports.ts';
import { findUsb } from '../../drivers/tty/usb.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { startSer2net, startSocat } from '../far/device_server.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { driver, hostWith, lineTo, listen, never, open, read, soak, survey } from './serial-rig.ts';

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_instrument.py', path);
});
afterAll(() => far.kill());

const idn = { idn: { request: '*IDN?\n', reply: '^(?<it>MAKER,.*)$' } };

describe('device servers', () => {
  it('ser2net: the line behind it is set, asked and heard', async () => {
    const server = await startSer2net(path);
    onTestFinished(() => server.close());
    const line = lineTo(
      { path: `rfc2217://127.0.0.1:${server.port}`, baudRate: 19_200, stopBits: 2 },
      { ...idn, t: { line: '^T=(?<t>.*)$' } },
    );
    const session = await open(line);
    expect((await read(session, line, 'idn'))?.value).toBe('MAKER,DMM 7,0,1.0');
    expect((await far.ask({ settings: true })).value).toMatchObject({ baudRate: 19_200, stopBits: 2 });
    const heard = listen(session, line);
    await far.ask({ say: 'T=5\r\n' });
    await expect.poll(() => heard).toEqual(['t=5']);
  });

  it('socat: bytes alone over TCP; its end is told and the next opening says why it fails', async () => {
    const server = await startSocat(path);
    onTestFinished(() => server.close());
    const line = lineTo({ path: `tcp://127.0.0.1:${server.port}`, baudRate: undefined }, idn);
    const host = hostWith();
    const session = await open(line, host);
    expect((await read(session, line, 'idn'))?.value).toBe('MAKER,DMM 7,0,1.0');
    await session.close();
    await server.close();
    await expect(open(line)).rejects.toThrow(/refused; nothing listens on port \d+ there/);
  });

  it('RFC 2217 to the letter of another implementation: every setting, DTR and RTS, bytes of 255, and a hang-up', async () => {
    const server = await startPython('rfc2217_server.py');
    onTestFinished(() => server.kill());
    const options = {
      baudRate: 4_800,
      dataBits: 7,
      parity: 'even',
      stopBits: 2,
      flowControl: 'software',
      dtr: 'pulse',
      rts: 'off',
      encoding: 'latin1',
    };
    const points = { it: { line: '^V=(?<v>.*)$', type: 'text' }, ask: { request: 'A\u00ff?\n', reply: '^(?<v>ok)$' } };
    const line = lineTo({ path: `rfc2217://127.0.0.1:${server.port}`, ...options, timeout: '100ms' }, points);
    const host = hostWith();
    const session = await open(line, host);
    expect((await server.ask({ settings: true })).value).toEqual({
      baudrate: 4_800,
      bytesize: 7,
      parity: 'E',
      stopbits: 2,
      xonxoff: true,
      rtscts: false,
      dtr: true,
      rts: false,
      changes: [
        ['dtr', false],
        ['dtr', true],
        ['rts', false],
      ],
    });
    const heard = listen(session, line);
    await server.ask({ hex: Buffer.from('\nV=\u00ff\u00ff1\n', 'latin1').toString('hex') });
    await expect.poll(() => heard).toEqual(['it=\u00ff\u00ff1']);
    await read(session, line, 'ask');
    expect((await server.ask({ heard: true })).value).toBe('41ff3f0a');
    await server.ask({ hangup: true });
    await expect.poll(() => host.losses[0]).toBeInstanceOf(LinkLost);
    expect(host.losses[0]?.message).toMatch(/is gone: the other end closed the connection$/);
  });

  it('a server that does not speak RFC 2217 is told from one that does', async () => {
    const server = await startSocat(path);
    onTestFinished(() => server.close());
    await expect(open(lineTo({ path: `rfc2217://127.0.0.1:${server.port}` }, idn))).rejects.toThrow(
      /does not speak RFC 2217; tcp:\/\/ is for/,
    );
  });

  it.each([
    [{ path: 'tcp://host' }, /is no address of a device server; allowed is such as tcp:/],
    [{ path: 'tcp://10.0.0.1:4001', dtr: 'off' }, /cannot be set over tcp/],
    [{ path: '/dev/ttyS0', baudRate: undefined }, /is missing; allowed are 50 to 4000000/],
    [{}, /is missing; allowed are path, or usb/],
    [{ path: '/dev/ttyS0', rs485: 'rts-high', flowControl: 'hardware' }, /needs the line RTS for itself/],
  ])('%j is refused', (connection, words) => {
    expect(() => lineTo({ path: undefined, ...connection }, idn)).toThrow(words);
  });

  it('a port without modem lines says so when they are asked for', async () => {
    await expect(open(lineTo({ path, dtr: 'off' }, idn))).rejects.toThrow(
      /its lines DTR and RTS cannot be set .*; leave out dtr, rts and rs485/,
    );
  });
});

/** A machine with two adapters of a kind and one with two ports, as Linux shows it. */
function machine() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'fieldgate-sys-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const roots = { sys: join(root, 'sys'), dev: join(root, 'dev') };
  mkdirSync(join(roots.dev, 'serial/by-id'), { recursive: true });
  mkdirSync(join(roots.sys, 'class/tty'), { recursive: true });
  const add = (name: string, usb: string, files: Record<string, string>, place = '00') => {
    const device = join(roots.sys, 'devices/usb1', usb);
    const port = join(device, `${usb}:1.${Number(place)}`, name);
    mkdirSync(port, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(device, file), `${text}\n`);
    writeFileSync(join(port, '../bInterfaceNumber'), `${place}\n`);
    const folder = join(roots.sys, 'devices/tty', name);
    mkdirSync(folder, { recursive: true });
    symlinkSync(port, join(folder, 'device'));
    symlinkSync(folder, join(roots.sys, 'class/tty', name));
    writeFileSync(join(roots.dev, name), '');
    symlinkSync(join('../..', name), join(roots.dev, 'serial/by-id', `usb-${files.serial}-if${place}`));
  };
  add('ttyUSB0', '1-1', { idVendor: '0403', idProduct: '6001', serial: 'A1', product: 'FT232R' });
  add('ttyUSB1', '1-2', { idVendor: '0403', idProduct: '6001', serial: 'B2', product: 'FT232R' });
  add('ttyACM0', '1-3', { idVendor: '2341', idProduct: '0043', serial: 'UNO', product: 'Uno' });
  add('ttyUSB2', '1-4', { idVendor: '10c4', idProduct: 'ea70', serial: 'DUAL', product: 'CP2105' }, '00');
  add('ttyUSB3', '1-4', { idVendor: '10c4', idProduct: 'ea70', serial: 'DUAL', product: 'CP2105' }, '01');
  mkdirSync(join(roots.sys, 'class/tty/tty1'));
  return roots;
}

describe.runIf(process.platform === 'linux')('ports of this machine', () => {
  it('are listed with what is behind them and a name that stays', async () => {
    const roots = machine();
    const ports = await findPorts(roots);
    expect(ports.map(({ path: at, serial, interface: place }) => [at.slice(roots.dev.length + 1), serial, place])).toEqual([
      ['ttyACM0', 'UNO', 0],
      ['ttyUSB0', 'A1', 0],
      ['ttyUSB1', 'B2', 0],
      ['ttyUSB2', 'DUAL', 0],
      ['ttyUSB3', 'DUAL', 1],
    ]);
    const told = survey();
    await listPorts(told, never(), roots);
    expect(told.findings[0]).toMatchObject({
      kind: 'port',
      values: { name: 'Uno', vendor: '2341' },
      proposes: { connection: { path: join(roots.dev, 'serial/by-id/usb-UNO-if00') } },
    });
  });

  it('are found by their USB device, whatever their name; too many and none are said', async () => {
    const roots = machine();
    const at = async (usb: Parameters<typeof findUsb>[0]) => (await findUsb(usb, roots)).slice(roots.dev.length + 1);
    expect(await at({ vendor: '2341', product: '0043' })).toBe('ttyACM0');
    expect(await at({ vendor: '0403', product: '6001', serial: 'B2' })).toBe('ttyUSB1');
    expect(await at({ vendor: '10C4', product: 'EA70', interface: 1 })).toBe('ttyUSB3');
    // Plugged in again, behind another name.
    const uno = join(roots.sys, 'devices/usb1/1-3/1-3:1.0');
    renameSync(join(uno, 'ttyACM0'), join(uno, 'ttyACM7'));
    renameSync(join(roots.dev, 'ttyACM0'), join(roots.dev, 'ttyACM7'));
    rmSync(join(roots.sys, 'class/tty/ttyACM0'));
    rmSync(join(roots.sys, 'devices/tty/ttyACM0'), { recursive: true });
    mkdirSync(join(roots.sys, 'devices/tty/ttyACM7'));
    symlinkSync(join(uno, 'ttyACM7'), join(roots.sys, 'devices/tty/ttyACM7/device'));
    symlinkSync(join(roots.sys, 'devices/tty/ttyACM7'), join(roots.sys, 'class/tty/ttyACM7'));
    expect(await at({ vendor: '2341', product: '0043' })).toBe('ttyACM7');
    await expect(at({ vendor: '0403', product: '6001' })).rejects.toThrow(
      /^usb:0403:6001 fits 2 ports: .*say which by serial or interface$/,
    );
    await expect(at({ vendor: '1a86', product: '7523' })).rejects.toThrow(
      /^usb:1a86:7523 is not plugged in; there are .*usb:2341:0043:UNO/,
    );
    await expect(open(lineTo({ path: undefined, usb: { vendor: 'ffff', product: 'ffff' } }, idn))).rejects.toThrow(
      /usb:ffff:ffff is not plugged in/,
    );
    expect(driver.endpoint(lineTo({ path: undefined, usb: { vendor: '2341', product: '0043' } }, idn).connection.options)).toBe(
      'usb:2341:0043',
    );
  });
});

it('the plug is pulled again and again: each time it is told and found again, and no descriptor or timer stays', async () => {
  const line = lineTo(
    { path, framing: { type: 'silence', gap: '20ms' }, timeout: '1s' },
    { idn: { request: '*IDN?\n', reply: '(?<it>MAKER)' } },
  );
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const timers = () => process.getActiveResourcesInfo().filter((kind) => /Timeout|TTY|Serial/i.test(kind)).length;
  const cycle = async () => {
    const host = hostWith();
    const session = await driver.open(line, host, AbortSignal.timeout(5_000));
    listen(session, line);
    const asked = read(session, line, 'idn').catch((error: unknown) => error);
    await far.ask({ say: 'half a fr' });
    await far.ask({ unplug: true });
    await expect.poll(() => host.losses.length, { interval: 1, timeout: 5_000 }).toBe(1);
    await asked;
    await session.close();
    await far.ask({ plug: true });
  };
  for (let i = 0; i < 3; i++) await cycle();
  const before = [descriptors(), timers()] as const;
  const rssBefore = process.memoryUsage().rss;
  for (let i = 0; i < (soak ? 1_000 : 20); i++) await cycle();
  await expect.poll(() => descriptors()).toBeLessThanOrEqual(before[0]);
  await expect.poll(() => timers() - before[1], { timeout: 5_000 }).toBeLessThanOrEqual(1);
  if (soak) expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * 1024 * 1024);
  const session = await open(line);
  expect(await read(session, line, 'idn')).toMatchObject({ value: 'MAKER' });
}, 900_000);
