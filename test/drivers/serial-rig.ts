/** A serial line of a test: settings, an open session, and what is heard on it. */
import { onTestFinished } from 'vitest';
import { serial } from '../../drivers/serial/driver.ts';
import type { Point } from '../../src/contract/device.ts';
import type { Driver, Finding, Host, Line, Reading, Session, Survey, Traffic } from '../../src/contract/driver.ts';
import { buildLine, makeHost, pointOf } from './line.ts';

export const driver = serial as Driver;
export const soak = process.env.FIELDGATE_SOAK !== undefined;
export const never = () => new AbortController().signal;

export function lineTo(
  connection: Record<string, unknown>,
  points: Record<string, Record<string, unknown>>,
  /** Their addresses on the line, by id. */
  devices: Record<string, string | undefined> = {},
): Line {
  const all = Object.entries(points).map(([id, address]) => ({
    id,
    address,
    access: !address.set ? 'read' : address.line || address.request ? 'read-write' : 'write',
  }));
  const named = Object.entries(devices).map(([id, own]) => ({ id, address: { id: own }, points: all }));
  return buildLine(driver, {
    connection: { baudRate: 115_200, timeout: '2s', turnaround: '0ms', ...connection },
    devices: named.length > 0 ? named : [{ id: 'it', points: all }],
  });
}

export type TestHost = Host & { losses: Error[]; seen: Traffic[] };

export function hostWith(secrets: Record<string, string> = {}, more: Partial<Host> = {}): TestHost {
  const seen: Traffic[] = [];
  return { ...makeHost(secrets), traffic: (message) => void seen.push(message), seen, ...more };
}

export async function open(line: Line, host: Host = makeHost()): Promise<Session> {
  const session = await driver.open(line, host, AbortSignal.timeout(8_000));
  onTestFinished(() => session.close());
  return session;
}

export async function read(session: Session, line: Line, id: string, device = 0): Promise<Reading | undefined> {
  const point = line.devices[device]?.points.find((one) => one.id === id) ?? pointOf(line, id);
  const [request] = session.plan?.([point]) ?? [];
  return request && (await session.read?.(request, never()))?.[0];
}

export interface Ear {
  readings: Reading[];
  troubles: Map<string, string | undefined>;
  /** Why listening ended, if it was not the test that ended it. */
  ended: Promise<unknown>;
}

/** Listens to all points of the line until the test ends. */
export function hear(session: Session, line: Line, told: (reading: Reading) => void = () => {}): Ear {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const readings: Reading[] = [];
  const troubles = new Map<string, string | undefined>();
  const take = (reading: Reading) => {
    readings.push(reading);
    told(reading);
  };
  const sink = {
    commit: (some: readonly Reading[]) => Promise.resolve(some.forEach(take)),
    samples: (some: readonly Reading[]) => some.forEach(take),
    trouble: (point: Point, message: string | undefined) => void troubles.set(point.id, message),
    device: () => undefined,
    announce: () => undefined,
    withdraw: () => {},
    misunderstood: () => {},
    availability: () => {},
  };
  const points = line.devices.flatMap((device) => device.points);
  const ended = (session.listen?.(points, sink, stopping.signal) ?? Promise.resolve()).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { readings, troubles, ended };
}

/** What is heard, as `point=value` or `point!reason`, in order. */
export function listen(session: Session, line: Line): string[] {
  const heard: string[] = [];
  hear(session, line, ({ point, value, reason }) => void heard.push(reason === '' ? `${point.id}=${value}` : `${point.id}!${reason}`));
  return heard;
}

export function survey(): Survey & { findings: Finding[]; steps: string[] } {
  const findings: Finding[] = [];
  const steps: string[] = [];
  return {
    findings,
    steps,
    turn: (_unit, call) => call(never()),
    progress: (done, total, text) => void steps.push(`${done}/${total} ${text}`),
    found(finding) {
      const at = findings.findIndex(({ id }) => id === finding.id);
      if (at >= 0) findings[at] = finding;
      else findings.push(finding);
    },
  };
}
