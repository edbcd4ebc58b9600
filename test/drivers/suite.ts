/**
 * What every driver must do, whatever its protocol. A driver's own test says how its far end (a program that is not ours) is started,
 * and calls `driverSuite`. The far end is started once for the suite; every test opens its own session.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Driver, Line, Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import type { Value } from '../../src/contract/sample.ts';
import { buildLine, makeHost, pointOf, type RawLine } from './line.ts';
import { watch } from './watch.ts';

export interface FarEnd {
  /** A line behind this far end, with at least the points named below. */
  readonly raw: RawLine;
  /** Secrets by the names the driver declares. */
  readonly secrets?: Record<string, string>;
  /** Raw values to be read or heard, by point: at least one for each type the driver knows. */
  readonly values: Readonly<Record<string, Value>>;
  /** Makes the far end hold or say this raw value, not through our driver. May be called again and again until it is heard. */
  set(point: string, value: Value): Promise<void>;
  /** A readable point that cannot be read well, how the far end is made to fail it, and the reason its readings then carry. */
  readonly failing: { point: string; reason: string; provoke?(): Promise<void> };
  /** A point to write and the values to write; different from what it holds at the start. */
  readonly writable: { point: string; values: readonly Value[] };
  /** What the far end itself holds or received last for a point, not through our driver; undefined if nothing yet. */
  held(point: string): Promise<Value | undefined>;
  /** A write the far end says no to. */
  readonly refused: { point: string; value: Value };
  /** Ends the far end at once (SIGKILL), so that its sockets die with it. */
  kill(): Promise<void>;
  /** Starts it again at the same endpoint, with the same values. */
  restart(): Promise<void>;
  /** Ends it for good. Never rejects. */
  close(): Promise<void>;
}

/** The longest a reading, an answer or the news of a dead link may take on this machine. */
const withinMs = 6_000;

const never = () => new AbortController().signal;

export function driverSuite(name: string, driver: Driver, start: () => Promise<FarEnd>): void {
  describe(`${name}: what every driver must do`, () => {
    let far: FarEnd;
    let line: Line;
    beforeAll(async () => {
      far = await start();
      line = buildLine(driver, far.raw);
    });
    afterAll(() => far.close());

    const openHost = () => makeHost(far.secrets);
    const open = (host = openHost()) => driver.open(line, host, AbortSignal.timeout(withinMs));
    /** Opens, runs, and closes whatever happens. */
    async function withSession<T>(run: (session: Session) => Promise<T>): Promise<T> {
      const session = await open();
      try {
        return await run(session);
      } finally {
        await session.close();
      }
    }

    it('says what the line is: endpoint, shapes, abilities', () => {
      expect(driver.endpoint(line.connection.options)).toMatch(/\S/);
      expect(driver.maxInFlight(line.connection.options)).toBeGreaterThanOrEqual(1);
      expect(driver.abilities(pointOf(line, far.writable.point).address).write).toBe(true);
      for (const point of Object.keys(far.values)) expect(driver.abilities(pointOf(line, point).address).read, point).toBe(true);
      for (const secret of Object.values(far.secrets ?? {})) expect(driver.endpoint(line.connection.options)).not.toContain(secret);
    });

    it('opens and closes any number of times and leaves no socket and no timer', async () => {
      await withSession(async () => {});
      const before = resources();
      for (let i = 0; i < 5; i++) await withSession(async () => {});
      await settlesTo(before);
    });

    it('reads or hears a value of each type', async () => {
      await withSession(async (session) => {
        const watching = watch(session, line);
        try {
          for (const [point, value] of Object.entries(far.values)) {
            const reading = await watching.next(
              point,
              (seen) => Object.is(seen.value, value) && seen.reason === '',
              withinMs,
              () => far.set(point, value),
            );
            expect(reading.point.device, point).toBe(pointOf(line, point).device);
          }
        } finally {
          await watching.stop();
        }
      });
    });

    it('lets a point that fails spoil no neighbour', async () => {
      await withSession(async (session) => {
        const watching = watch(session, line);
        try {
          const bad = await watching.next(
            far.failing.point,
            (seen) => seen.reason !== '',
            withinMs,
            far.failing.provoke?.bind(far.failing),
          );
          expect(bad.reason).toBe(far.failing.reason);
          expect(bad.value).toBeNull();
          expect(bad.detail ?? '').not.toBe('');
          for (const [point, value] of Object.entries(far.values)) {
            await watching.next(
              point,
              (seen) => Object.is(seen.value, value) && seen.reason === '',
              withinMs,
              () => far.set(point, value),
            );
          }
        } finally {
          await watching.stop();
        }
      });
    });

    it('writes, and the far end holds what was written', async () => {
      await withSession(async (session) => {
        for (const value of far.writable.values) {
          const answer = await session.write?.(pointOf(line, far.writable.point), value, never());
          expect(answer?.state).toBe('acknowledged');
          await expect.poll(() => far.held(far.writable.point), { timeout: withinMs }).toBe(value);
        }
      });
    });

    it('passes on that the far end refuses a write', async () => {
      await withSession(async (session) => {
        const answer = await session.write?.(pointOf(line, far.refused.point), far.refused.value, never());
        expect(answer).toMatchObject({ state: 'refused', detail: expect.stringMatching(/\w/) });
        const after = await session.write?.(pointOf(line, far.writable.point), far.writable.values[0] ?? null, never());
        expect(after?.state, 'the next write').toBe('acknowledged');
      });
    });

    it('ends at once when its signals are aborted', async () => {
      const before = resources();
      await expect(driver.open(line, openHost(), AbortSignal.abort(new Error('not wanted')))).rejects.toThrow();
      const stopping = new AbortController();
      const opening = driver.open(line, openHost(), stopping.signal);
      stopping.abort(new Error('not wanted any more'));
      // Whichever came first: opened, or aborted.
      await opening.then((session) => session.close()).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
      await withSession(async (session) => {
        const watching = watch(session, line);
        const started = performance.now();
        await watching.stop();
        expect(performance.now() - started).toBeLessThan(1_000);
      });
      await settlesTo(before);
    });

    it('survives close in the middle of everything, twice', async () => {
      const before = resources();
      const session = await open();
      const watching = watch(session, line);
      const writing = session.write?.(pointOf(line, far.writable.point), far.writable.values[0] ?? null, never());
      await Promise.all([session.close(), session.close()]);
      await session.close();
      expect((await writing)?.state).toMatch(/^(acknowledged|unknown|not-sent)$/);
      await watching.stop();
      expect((await session.write?.(pointOf(line, far.writable.point), far.writable.values[0] ?? null, never()))?.state).toBe('not-sent');
      await settlesTo(before);
    });

    it('says LinkLost when the far end dies, and works again after it is back', async () => {
      const before = resources();
      const host = openHost();
      const session = await open(host);
      const watching = watch(session, line);
      const [point = '', value = null] = Object.entries(far.values)[0] ?? [];
      await watching.next(
        point,
        (seen) => Object.is(seen.value, value),
        withinMs,
        () => far.set(point, value),
      );
      await far.kill();
      const lost = await Promise.race([
        watching.ended,
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), withinMs)),
      ]);
      expect(lost ?? host.losses[0], 'what the session said within 6 s of the death').toBeInstanceOf(LinkLost);
      expect((await session.write?.(pointOf(line, far.writable.point), far.writable.values[0] ?? null, never()))?.state).toBe('not-sent');
      await watching.stop();
      await session.close();
      await expect(open()).rejects.toThrow(/\w+ \w+/);
      await settlesTo(before);
      await far.restart();
      await withSession(async (again) => {
        const listening = watch(again, line);
        await listening
          .next(
            point,
            (seen) => Object.is(seen.value, value),
            withinMs,
            () => far.set(point, value),
          )
          .finally(() => listening.stop());
      });
    });
  });
}

/** Sockets and timers of this process, by kind. What the test's own programs hold is in it too, the same before and after. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /TCP|Timeout|Immediate|GetAddrInfo|Serial/i.test(kind))
    .toSorted();
}

/** What there is more of than before: a timer of the test runner that ran out meanwhile is not a fault. */
function moreThan(before: readonly string[]): string[] {
  const known = [...before];
  return resources().filter((kind) => {
    const at = known.indexOf(kind);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

async function settlesTo(before: readonly string[]): Promise<void> {
  // Polled without expect.poll, whose own timers would be counted.
  for (let i = 0; i < 100 && moreThan(before).length > 0; i++)
    await new Promise((resolve) => setImmediate(() => process.nextTick(resolve)));
  for (let i = 0; i < 100 && moreThan(before).length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(moreThan(before), 'sockets and timers left').toEqual([]);
}
