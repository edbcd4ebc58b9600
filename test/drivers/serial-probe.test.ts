/** What a probe makes of a line that speaks in bytes: what it proposes hears the very frames that were said. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { probeSchema } from '../../drivers/serial/survey/settings.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { manualClock } from '../gateway/clocks.ts';
import { hostWith, lineTo, listen, never, open, survey } from './serial-rig.ts';

const path = portName();
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_frames.py', path);
});
afterAll(() => far.kill());

const payload = (n: number) => Buffer.from([0x80, 0x91, 0xf0, n, 0xee, 0x85]).toString('hex');

/** A probe that listens. Silence between frames is what the clock says, however busy this machine is. */
async function probed() {
  const clock = manualClock();
  const host = hostWith({}, { clock });
  const line = lineTo({ path, framing: { type: 'silence', gap: '20ms' } }, { it: { take: { as: 'binary', offset: 0, type: 'uint8' } } });
  const session = await open(line, host);
  await clock.pass(500);
  const told = survey();
  const probing = session.probe?.(probeSchema.parse({ listen: '10s' }), told, never());
  return { clock, host, session, told, probing };
}

it.each([
  ['silence', 'Modbus RTU', { type: 'silence', gap: '20ms', checksum: expect.objectContaining({ poly: '0x8005', order: 'little' }) }],
  ['cobs', 'as COBS has them', { type: 'cobs' }],
  ['slip', 'as SLIP has them', { type: 'slip' }],
  ['stx', 'between STX \\(02\\) and ETX', { type: 'markers', start: '02', end: '03' }],
  ['fixed', 'frames of 9 bytes that begin with aa', { type: 'fixed', length: 9, start: 'aa' }],
])('%s: %s', async (form, words, framing) => {
  const { clock, host, session, told, probing } = await probed();
  for (let n = 1; n <= 6; n++) {
    const before = host.seen.length;
    await far.ask({ frame: form, payload: payload(n) });
    await expect.poll(async () => (await clock.pass(30)) ?? host.seen.length, { interval: 5 }).toBeGreaterThan(before);
  }
  await clock.pass(10_000);
  await probing;
  expect(told.findings[0]?.text).toMatch(new RegExp(words));
  expect(told.findings[0]?.proposes?.connection).toEqual({ baudRate: 115_200, framing });
  await session.close();
  const proposed = lineTo(
    { path, ...told.findings[0]?.proposes?.connection },
    { it: { take: { as: 'binary', offset: form === 'fixed' ? 5 : 3, type: 'uint8' } } },
  );
  const heard = listen(await open(proposed), proposed);
  await expect
    .poll(
      async () => {
        await far.ask({ frame: form, payload: payload(7) });
        return heard.includes('it=7');
      },
      { interval: 60 },
    )
    .toBe(true);
});

it.each(['even', 'odd'])('text of 7 bits with %s parity, heard as 8 bits, is known by its parity', async (parity) => {
  const ones = (byte: number) => byte.toString(2).replaceAll('0', '').length;
  const isSet = (byte: number) => (ones(byte) % 2 === 1) === (parity === 'even');
  const said = Buffer.from('ST,GS,+0012.345kg\r\n'.repeat(6)).map((byte) => (isSet(byte) ? byte | 0x80 : byte));
  const { clock, host, told, probing } = await probed();
  await far.ask({ hex: Buffer.from(said).toString('hex') });
  await expect.poll(async () => (await clock.pass(30)) ?? host.seen.length, { interval: 5 }).toBeGreaterThan(0);
  await clock.pass(10_000);
  await probing;
  expect(told.findings[0]?.proposes?.connection).toEqual({
    baudRate: 115_200,
    dataBits: 7,
    parity,
    framing: { type: 'delimiter', delimiter: '\n' },
  });
});
