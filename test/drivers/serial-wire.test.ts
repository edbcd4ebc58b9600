/** The port itself: how it is set, pulled, stuck, shared, taken by others and refused. */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { serial } from '../../drivers/serial/driver.ts';
import type { Answer } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { fastClock } from '../gateway/clocks.ts';
import { makeHost, pointOf } from './line.ts';
import { climate, far, heard, lineTo, path, read, valuesOf, valve } from './serial-board.ts';
import { hear, never, open } from './serial-rig.ts';

describe('the port', () => {
  it('is set as the settings say', async () => {
    await open(lineTo({ valve }, { baudRate: 9_600, parity: 'odd', stopBits: 2, flowControl: 'software' }));
    expect((await far.ask({ settings: true })).value).toEqual({ baudRate: 9_600, odd: true, stopBits: 2, hardware: false, software: true });
  });

  it.each([
    [{ flowControl: 'hardware', hangUp: false }, 'crtscts', '-hupcl'],
    [{}, '-crtscts', 'hupcl', '-ixon', '-cstopb'],
    [{ flowControl: 'software', parity: 'odd', stopBits: 2 }, '-crtscts', 'ixon', 'ixoff', 'parodd', 'cstopb'],
  ])('set with %j is what stty says of it', async (options, ...wanted) => {
    await open(lineTo({ valve }, options));
    const { stdout } = await promisify(execFile)('stty', ['-F', path, '-a']);
    expect(stdout.split(/[\s;]+/)).toEqual(expect.arrayContaining(wanted));
  });

  it('unplugged, ends listening, asking and commands with the reason, and is found again under the same name', async () => {
    const line = lineTo(
      { air: { line: climate, field: 'air' }, valve, ping: { request: 'PING\n', reply: '^PONG(?<value>.*)$' } },
      { timeout: '5s' },
    );
    const host = makeHost();
    const session = await open(line, host);
    const ear = hear(session, line);
    const asked = read(session, line, 'ping');
    asked.catch(() => {});
    await expect.poll(heard).toEqual(['PING']);
    const command = session.write?.(pointOf(line, 'valve'), 1, never());
    await far.ask({ unplug: true });
    const gone = `${path} is gone: it was unplugged, or the other end closed it`;
    await expect(asked).rejects.toThrow(gone);
    await expect(asked).rejects.toBeInstanceOf(LinkLost);
    expect(await ear.ended).toMatchObject({ name: 'LinkLost', message: gone });
    expect(await command).toEqual({ state: 'not-sent', detail: gone });
    expect(host.losses.map(({ message }) => message)).toEqual([gone]);
    expect(await session.write?.(pointOf(line, 'valve'), 1, never())).toEqual({ state: 'not-sent', detail: gone });
    await session.close();
    await expect(open(line)).rejects.toThrow(`${path} is not there: the device is not plugged in`);
    await far.ask({ plug: true });
    expect(await read(await open(line), line, 'valve')).toMatchObject([{ value: 0 }]);
  });

  it('that takes no bytes any more is given up, closed and opened again', async () => {
    const line = lineTo({ mode: { set: { send: 'MODE={value}\n' } }, valve });
    // Time runs faster for the driver, so that its 5 s are half of one.
    const host = { ...makeHost(), clock: fastClock(10) };
    const session = await open(line, host);
    await far.ask({ deaf: true });
    const filling = (async () => {
      let last: Answer | undefined;
      for (let i = 0; i < 500 && host.losses.length === 0; i++)
        last = await session.write?.(pointOf(line, 'mode'), 'x'.repeat(900), never());
      return last;
    })();
    await expect
      .poll(() => host.losses.map(({ message }) => message), { timeout: 10_000 })
      .toEqual([`${path} took no bytes for 5 s: is flow control right, and the other end awake?`]);
    expect((await filling)?.state).toMatch(/^(unknown|not-sent)$/);
    await session.close();
    await far.ask({ reset: true });
    expect(await read(await open(line), line, 'valve')).toMatchObject([{ value: 0 }]);
  }, 30_000);

  it('is shared by connections that agree; a reply goes to whoever asked', async () => {
    const shared = new Map<string, unknown>();
    const first = lineTo({ valve, air: { line: climate, field: 'air' } });
    const second = lineTo({ mode: { request: 'MODE?\n', reply: '^MODE=(?<value>.+)$' }, soil: { line: climate, field: 'soil' } });
    const [one, two] = await Promise.all([open(first, makeHost({}, shared)), open(second, makeHost({}, shared))]);
    const [oneEar, twoEar] = [hear(one, first), hear(two, second)];
    for (let i = 0; i < 5; i++) {
      const [a, b] = await Promise.all([read(one, first, 'valve'), read(two, second, 'mode')]);
      expect([a[0]?.value, b[0]?.value]).toEqual([0, 'auto']);
    }
    await far.ask({ say: 'T=1;S=2\n' });
    await expect.poll(() => [valuesOf(oneEar, 'air'), valuesOf(twoEar, 'soil')]).toEqual([[1], [2]]);
    await one.close();
    expect(await one.write?.(pointOf(first, 'valve'), 1, never())).toMatchObject({ state: 'not-sent' });
    expect((await read(two, second, 'mode'))[0]?.value).toBe('auto');
    await two.close();
    expect(shared.size).toBe(0);
    expect(serial.terms?.(serial.connection.parse({ path, baudRate: 9_600 }))).toBe(
      '9600 baud 8N1, utf-8 lines of at most 4096 bytes that end with "\\n"',
    );
  });

  it.each([
    [
      '/dev/ttyUSB99',
      /^\/dev\/ttyUSB99 is not there: the device is not plugged in, or this service may not see it \(.*PrivateDevices=false/,
    ],
    ['/dev/null', /^\/dev\/null is no serial port$/],
    ['/tmp', /^\/tmp is no serial port$/],
  ])('says what is wrong with %s', async (wrong, words) => {
    await expect(open(lineTo({ valve }, { path: wrong }))).rejects.toThrow(words);
  });

  it('says who holds it: another program, or we ourselves under another name', async () => {
    await far.ask({ occupy: true });
    await expect(open(lineTo({ valve }))).rejects.toThrow(`${path} is busy: it is in use by python3 (process ${far.pid})`);
    await far.ask({ vacate: true });
    const line = lineTo({ valve });
    await open(line);
    await expect(open(lineTo({ valve }, { path: realpathSync(path) }))).rejects.toThrow(
      /is busy: it is in use by this gateway itself under another name; write the same path in all its connections$/,
    );
  });

  it('says what to do when permission is denied', async () => {
    chmodSync(path, 0o600);
    const script = `
      import { serial } from ${JSON.stringify(join(resolve(import.meta.dirname, '../..'), 'drivers/serial/driver.ts'))};
      const options = serial.connection.parse({ path: ${JSON.stringify(path)}, baudRate: 9600 });
      const host = { log: console, clock: { monotonicMs: () => 0 }, shared: new Map(), secret() {}, lost() {} };
      serial.open({ connection: { options }, devices: [] }, host, new AbortController().signal).catch((error) => console.log(error.message));`;
    // Whoever runs the tests may open everything as root, and owns the pty otherwise.
    const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if (process.getuid?.() !== 0) chmodSync(path, 0o000);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { ...other, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
    await new Promise((done) => child.once('close', done));
    expect(said).toMatch(
      /: permission denied for user \S+; add it to the group \S+ that owns the port \(usermod -aG \S+ \S+\).*SupplementaryGroups=dialout/,
    );
  });
});
