/** A microcontroller on a pty for the tests of a file, new before each of them, and a line to it. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Line, Reading, Session } from '../../src/contract/driver.ts';
import { portName } from '../far/port.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { pointOf } from './line.ts';
import { type Ear, never, lineTo as plainLineTo } from './serial-rig.ts';

export const path = portName();
export let far: FarProgram;
beforeAll(async () => {
  far = await startPython('serial_device.py', path);
});
beforeEach(() => far.ask({ reset: true }));
afterAll(() => far.kill());

export type Address = Record<string, unknown>;
export const climate = '^T=(?<air>[-0-9.]+);S=(?<soil>\\d+)$';
export const valve: Address = {
  request: 'VALVE?\n',
  reply: '^VALVE=(?<value>[01])$',
  set: { send: 'VALVE={value}\n', ack: '^OK$', nak: '^ERR' },
};

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function lineTo(points: Record<string, Address>, connection: Record<string, unknown> = {}): Line {
  return plainLineTo({ path, timeout: '3s', turnaround: '100ms', ...connection }, points, { uno: undefined });
}

export async function read(session: Session, line: Line, ...ids: string[]): Promise<Reading[]> {
  const requests = session.plan?.(ids.map((id) => pointOf(line, id))) ?? [];
  const readings: Reading[] = [];
  for (const request of requests) readings.push(...((await session.read?.(request, never())) ?? []));
  return readings;
}

/** Lines it heard since the last time. */
export const heard = async () => (await far.ask({ heard: true })).value as string[];
export const valuesOf = (ear: Ear, id: string) => ear.readings.filter(({ point }) => point.id === id).map(({ value }) => value);
