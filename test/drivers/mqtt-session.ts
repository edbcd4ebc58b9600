/** A session of the MQTT driver in a test, and what it says. */
import { afterEach } from 'vitest';
import { mqtt } from '../../drivers/mqtt/driver.ts';
import type { Device, Point } from '../../src/contract/device.ts';
import type { Availability, Driver, Host, Line, Reading, Session, Sink } from '../../src/contract/driver.ts';
import type { Values } from '../../src/contract/placeholders.ts';
import { parseTemplateId } from '../../src/contract/template-id.ts';
import { buildLine, makeHost } from './line.ts';

export const driver = mqtt as Driver;
export const never = () => new AbortController().signal;
export const soon = { timeout: 5_000, interval: 10 };

/** Points of one device `d`, by id. */
export function lineTo(url: string, points: Record<string, Record<string, unknown>>, connection: Record<string, unknown> = {}): Line {
  return buildLine(driver, {
    connection: { url, timeout: '2s', ...connection },
    devices: [
      {
        id: 'd',
        points: Object.entries(points).map(([id, address]) => ({ id, address, access: 'set' in address ? 'read-write' : 'read' })),
      },
    ],
  });
}

export function open(line: Line, host: Host = makeHost(), withinMs = 6_000): Promise<Session> {
  return driver.open(line, host, AbortSignal.timeout(withinMs));
}

const sessions: Session[] = [];
export async function closeOpened(): Promise<void> {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
}
afterEach(closeOpened);

/** As `open`; closed when the test ends, if not before. */
export async function opened(...args: Parameters<typeof open>): Promise<Session> {
  const session = await open(...args);
  sessions.push(session);
  return session;
}

export interface Ear {
  readonly readings: Reading[];
  readonly troubles: Map<string, string | undefined>;
  /** Devices that were discovered, by id. */
  readonly devices: Map<string, Device>;
  /** `kitchen online`, in the order it was said. */
  readonly words: (Availability & { device: string })[];
  /** Readings of a point, as `value` or as `reason`. */
  of(point: string): unknown[];
  /** How listening ended. */
  readonly ended: Promise<unknown>;
  stop(): Promise<unknown>;
}

/** Listens; `committed` is what the sink answers. */
export function listen(
  session: Session,
  points: readonly Point[],
  committed: (reading: Reading) => Promise<void> = () => Promise.resolve(),
  admits: (id: string) => boolean = () => true,
): Ear {
  const stopping = new AbortController();
  const readings: Reading[] = [];
  const troubles = new Map<string, string | undefined>();
  const devices = new Map<string, Device>();
  const words: Ear['words'] = [];
  const sink: Sink = {
    async commit(some) {
      readings.push(...some);
      await Promise.all(some.map(committed));
    },
    samples: (some) => void readings.push(...some),
    trouble: (point, message) => void troubles.set(point.id, message),
    device(template, values) {
      const id = parseTemplateId(template).fill(values);
      if (!admits(id)) return undefined;
      const made = devices.get(id) ?? makeDevice(template, id, values);
      devices.set(id, made);
      return made;
    },
    announce: () => undefined,
    withdraw: () => {},
    misunderstood: () => {},
    availability: (device, said) => void words.push({ device, ...said }),
  };
  const makeDevice = (template: string, id: string, values: Values): Device => ({
    id,
    title: id,
    connection: 'line',
    address: {},
    labels: { ...values },
    points: points
      .filter((point) => point.device === template)
      .map((point) => ({ ...point, device: id, address: driver.discovery?.fill(point.address, values) })),
    actions: [],
    availability: { online: 'online', offline: 'offline' },
  });
  const ended = (session.listen?.(points, sink, stopping.signal) ?? Promise.resolve()).then(
    () => 'stopped',
    (error: unknown) => error,
  );
  return {
    readings,
    troubles,
    devices,
    words,
    ended,
    of: (point) =>
      readings.filter((reading) => reading.point.id === point).map((reading) => (reading.reason === '' ? reading.value : reading.reason)),
    stop() {
      stopping.abort();
      return ended;
    },
  };
}

export const pointsOf = (line: Line): Point[] => line.devices.flatMap((device) => device.points);

/** For `expect.poll`: does something, then looks; again and again, since a subscription may still be under way. */
export function nudged<T>(act: () => Promise<void>, look: () => T | Promise<T>): () => Promise<T> {
  return async () => {
    await act();
    return look();
  };
}
