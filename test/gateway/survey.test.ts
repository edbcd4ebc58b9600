/** Probes and scans: their turns on the bus, the session they run on, and what ends them. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { PlannedConnection } from '../../src/gateway/plan.ts';
import type { SurveyOrder } from '../../src/gateway/surveys.ts';
import type { Bugs } from './line-driver.ts';
import { type PlantServer, plantServer } from './plant-server.ts';
import { connection, device, planOf, type Rig, rig, until } from './rig.ts';

async function plant(bugs: Bugs = {}): Promise<Rig & { far: PlantServer; planned: PlannedConnection }> {
  const far = await plantServer();
  onTestFinished(() => far.stop());
  for (const unit of ['1', '3']) far.units.set(unit, { registers: new Map([['temp', `2${unit}`]]) });
  const made = await rig({ factor: 1, bugs });
  const planned = connection('plc', made.driver, { port: far.port, timeoutMs: 500 }, [
    device('pump', 'plc', { temp: { intervalMs: 50 } }, '3'),
  ]);
  await made.gateway.apply(planOf(planned));
  await until('polled', () => made.gateway.last({ device: 'pump', point: 'temp' })?.quality === 'good');
  return { ...made, far, planned };
}

function order(planned: PlannedConnection, options: object = {}, more: Partial<SurveyOrder> = {}): SurveyOrder {
  return { kind: 'scan', planned, isRunning: true, options: { units: 4, register: 'temp', flood: 0, kinds: 100_000, ...options }, ...more };
}

const deafEar = { progress: () => undefined, found: () => undefined };
const never = new AbortController().signal;
const ids = (findings: readonly Finding[]) => findings.map(({ id }) => id);

describe('a scan on the connection that runs', () => {
  it('finds who answers, beside the polls, on one and the same link, and sets nobody aside', async () => {
    const { gateway, far, planned } = await plant();
    const before = far.requests.length;
    const heard: Finding[] = [];
    const survey = gateway.surveys.begin(order(planned, { units: 5 }), { ...deafEar, found: (finding) => heard.push(finding) }, never);
    expect(survey.report).toMatchObject({ connection: 'plc', kind: 'scan', session: 'running', state: 'running', protocol: 'line' });
    expect(() => gateway.surveys.begin(order(planned), deafEar, never)).toThrow(/a scan of connection plc is under way/);
    const report = await survey.ended;
    expect(report).toMatchObject({ state: 'done', dropped: 0, progress: { done: 5, total: 5 } });
    expect(ids(report.findings)).toEqual(['unit-1', 'unit-3']);
    expect(ids(heard)).toEqual(['unit-1', 'unit-3']);
    expect(report.findings[0]?.values).toMatchObject({ unit: 1, answer: '= 21', trial: false });
    expect(gateway.surveys.last('plc')).toBe(report);
    // One link, one request at a time, and polls went on between the silent ones.
    expect(far.connections).toBe(1);
    expect(far.overlaps).toBe(0);
    expect(far.requests.slice(before).filter(({ text }) => text === 'R 3 temp').length).toBeGreaterThan(2);
    expect(gateway.devices()[0]?.state).toBe('online');
    const spans = gateway.polling('plc')?.spans(0, Date.now() + 1_000) ?? [];
    expect(spans.filter(({ priority }) => priority === 'survey')).toHaveLength(5);
    expect(spans.filter(({ priority, text }) => priority === 'poll' && text === 'read temp of unit 3').length).toBeGreaterThan(2);
    expect(spans.every(({ queuedMs, startedMs, endedMs }) => queuedMs <= startedMs && startedMs <= endedMs)).toBe(true);
    expect(Math.abs((spans.at(-1)?.endedMs ?? 0) - Date.now())).toBeLessThan(5_000);
  });

  it('asks units that polls have set aside', async () => {
    const { gateway, far, planned } = await plant();
    const unit = far.units.get('3');
    if (unit) unit.silent = true;
    await until('set aside', () => gateway.devices()[0]?.state === 'offline');
    if (unit) unit.silent = false;
    const { ended } = gateway.surveys.begin(order(planned, { units: 3 }), deafEar, never);
    expect(ids((await ended).findings)).toContain('unit-3');
  });

  it('ends when nobody wants it any more, and the link stays', async () => {
    const { gateway, far, planned } = await plant();
    const leaving = new AbortController();
    const { ended } = gateway.surveys.begin(order(planned, { units: 247 }), deafEar, leaving.signal);
    await until('under way', () => far.requests.some(({ unit }) => unit === '4'));
    leaving.abort(new Error('the reader left'));
    expect(await ended).toMatchObject({ state: 'cancelled', error: 'the reader left' });
    const asked = far.requests.filter(({ unit }) => Number(unit) > 3).length;
    const polls = far.requests.length;
    await until('polls go on', () => far.requests.length > polls + 3);
    expect(far.requests.filter(({ unit }) => Number(unit) > 3).length).toBe(asked);
    expect(far.connections).toBe(1);
  });

  it('says what broke the link', async () => {
    const { gateway, far, planned } = await plant();
    const { ended } = gateway.surveys.begin(order(planned, { units: 247 }), deafEar, never);
    await until('under way', () => far.requests.some(({ unit }) => unit === '4'));
    far.hangUp();
    expect(await ended).toMatchObject({ state: 'failed', error: 'the far end hung up' });
  });

  it('keeps as many findings as are allowed and counts the others', async () => {
    const { gateway, planned } = await plant();
    const { ended } = gateway.surveys.begin(order(planned, { units: 1, flood: limits.findingsMax + 10 }), deafEar, never);
    const report = await ended;
    expect(report.findings).toHaveLength(limits.findingsMax);
    expect(report.dropped).toBe(11);
  });

  it.each([
    [{ throwsOnScan: true }, 'failed', 'a bug in scan'],
    [{ hangsOnScan: true }, 'cancelled', 'enough'],
  ])('bears a driver with %j', async (bugs, state, error) => {
    const { gateway, planned } = await plant(bugs);
    const leaving = new AbortController();
    const { ended } = gateway.surveys.begin(order(planned), deafEar, leaving.signal);
    if (state === 'cancelled') leaving.abort(new Error('enough'));
    expect(await ended).toMatchObject({ state, error });
    expect(gateway.connections()[0]?.state).toBe('up');
  });
});

describe('a scan beside the connection that runs', () => {
  it('has a link of its own for as long as it takes, shares the bus and leaves nothing behind', async () => {
    const { gateway, far, planned, store } = await plant();
    const other = {
      ...planned,
      connection: { ...planned.connection, options: { ...(planned.connection.options as object), note: 'new' } },
    };
    const { report, ended } = gateway.surveys.begin(order(other, {}, { isRunning: false }), deafEar, never);
    expect(report.session).toBe('trial');
    expect((await ended).findings[0]?.values).toMatchObject({ trial: true });
    expect(far.connections).toBe(2);
    expect(far.overlaps).toBe(0);
    expect([...(await store.recall('1/test', 'memory/plc'))]).toEqual([]);
  });

  it('says why it could not be opened', async () => {
    const { gateway, far, driver } = await plant();
    await far.stop();
    const { ended } = gateway.surveys.begin(
      order(connection('new', driver, { port: far.port }, []), {}, { isRunning: false }),
      deafEar,
      never,
    );
    expect(await ended).toMatchObject({ state: 'failed', error: expect.stringMatching(/ECONNREFUSED/) });
    await far.start();
  });

  it('is refused where the endpoint is used on other terms, and gives it back', async () => {
    const { gateway, far, driver } = await plant();
    const slow = connection('slow', driver, { port: far.port, terms: '9600 baud' }, []);
    const fast = connection('fast', driver, { port: far.port, terms: '19200 baud' }, []);
    const first = gateway.surveys.begin(order(slow, { units: 247 }, { isRunning: false }), deafEar, AbortSignal.timeout(300));
    expect(() => gateway.surveys.begin(order(fast, {}, { isRunning: false }), deafEar, never)).toThrow(
      /is used by connection slow as line, 9600 baud; this one asks for line, 19200 baud/,
    );
    await first.ended;
    expect(await gateway.surveys.begin(order(fast, {}, { isRunning: false }), deafEar, never).ended).toMatchObject({ state: 'done' });
  });

  it('ends with the gateway', async () => {
    const { gateway, far, planned } = await plant();
    const { ended } = gateway.surveys.begin(order(planned, { units: 247 }, { isRunning: false }), deafEar, never);
    await until('under way', () => far.connections === 2);
    await gateway.close();
    expect((await ended).state).toBe('cancelled');
  });
});
