/** A real microcontroller core at the other end of the line: our sketch, built with avr-gcc, run by simavr, described by its profile. */
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { startBoard } from '../../simulators/serial-board.ts';
import { portName } from '../far/port.ts';
import { buildLine, pointOf } from './line.ts';
import { driver, hostWith, listen, never, open, read } from './serial-rig.ts';

it('the climate sketch: heard, asked, set, refused', async () => {
  const path = portName();
  const board = await startBoard(path);
  onTestFinished(() => board.close());
  const { points } = JSON.parse(readFileSync(new URL('../../profiles/arduino-climate.json', import.meta.url), 'utf8')) as {
    points: Record<string, unknown>[];
  };
  const line = buildLine(driver, {
    connection: { path, baudRate: 9_600, timeout: '5s', turnaround: '0ms' },
    devices: [{ id: 'it', points }],
  });
  const session = await open(line, hostWith());
  const heard = listen(session, line);
  await expect.poll(() => heard.filter((one) => /^uptime=\d+$/.test(one)).length, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(heard.find((one) => one.startsWith('air='))).toMatch(/^air=2\d(\.\d)?$/);
  expect(heard.find((one) => one.startsWith('humidity='))).toMatch(/^humidity=4\d$/);
  expect(await read(session, line, 'fan')).toMatchObject({ value: 30, reason: '' });
  expect(await session.write?.(pointOf(line, 'fan'), 75, never())).toEqual({ state: 'acknowledged' });
  expect(await read(session, line, 'fan')).toMatchObject({ value: 75 });
  expect(await session.write?.(pointOf(line, 'fan'), 101, never())).toMatchObject({ state: 'refused' });
}, 60_000);
