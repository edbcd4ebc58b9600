/** Scans and probes against pymodbus and against a far end that misbehaves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver, Finding, Survey } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
let good: FarProgram;
let rogue: FarProgram;
beforeAll(async () => {
  [good, rogue] = await Promise.all([startPython('modbus.py'), startPython('modbus_rogue.py')]);
});
afterAll(() => Promise.all([good.kill(), rogue.kill()]));

interface Told {
  findings: Finding[];
  progress: [number, number | undefined, string][];
  turns: string[];
}

/** Runs a survey as the host would, and keeps what it told. */
async function run(
  what: 'probe' | 'scan',
  far: FarProgram,
  options: unknown,
  more: { timeout?: string; signal?: AbortSignal; onTurn?: (count: number) => void } = {},
): Promise<Told> {
  const told: Told = { findings: [], progress: [], turns: [] };
  const signal = more.signal ?? AbortSignal.timeout(20_000);
  const survey: Survey = {
    turn(unit, call) {
      told.turns.push(unit);
      more.onTurn?.(told.turns.length);
      signal.throwIfAborted();
      return call(signal);
    },
    progress: (done, total, text) => void told.progress.push([done, total, text]),
    found(finding) {
      const at = told.findings.findIndex(({ id }) => id === finding.id);
      if (at < 0) told.findings.push(finding);
      else told.findings[at] = finding;
    },
  };
  const transport = { type: 'tcp', host: '127.0.0.1', port: far.port };
  const line = buildLine(driver, { connection: { transport, timeout: more.timeout ?? '2s' }, devices: [] });
  const session = await driver.open(line, makeHost(), AbortSignal.timeout(3_000));
  try {
    const parsed = driver.survey?.[what]?.parse(options);
    if (what === 'probe') await session.probe?.(parsed, survey, signal);
    else await session.scan?.(parsed, survey, signal);
  } finally {
    await session.close();
  }
  return told;
}
const textsOf = ({ findings }: Told) => findings.map(({ text }) => text);

describe('a scan', () => {
  it('finds who answers, and every range, to the register', async () => {
    const told = await run('scan', good, {
      units: { first: 1, last: 3 },
      tables: ['holding', 'coil'],
      addresses: { first: 190, last: 420 },
    });
    expect(textsOf(told)).toEqual([
      'unit 1 answers: holding 190 can be read',
      'unit 1: holding 190-199 can be read',
      'unit 1: holding 210-399 can be read',
      'unit 1: holding 210-334 of a longer range, as points',
      'unit 1: holding 335-399 of a longer range, as points',
      'unit 2 answers: holding 190 can be read',
      'unit 2: holding 190-199 can be read',
      'unit 2: holding 210-399 can be read',
      'unit 2: holding 210-334 of a longer range, as points',
      'unit 2: holding 335-399 of a longer range, as points',
      // pymodbus answers for everybody; who it does not know gets a refusal.
      ...textsOf(told).slice(10),
    ]);
    expect(textsOf(told).slice(10).join()).not.toMatch(/unit 3: /);
    expect(told.findings[1]).toMatchObject({ kind: 'range', values: { unitId: 1, table: 'holding', first: 190, last: 199, count: 10 } });
    expect(told.findings[0]).toMatchObject({ kind: 'unit', proposes: { devices: [{ id: 'unit-1', address: { unitId: 1 } }] } });
    const places = Array.from({ length: 10 }, (_, at) => 190 + at);
    const points = places.map((register) => ({ id: `holding_${register}`, address: { table: 'holding', register } }));
    expect(told.findings[1]?.proposes).toEqual({ devices: [{ id: 'unit-1', address: { unitId: 1 }, points }] });
    // 190 places one after the other are proposed in parts, every place once.
    expect(told.findings[2]?.proposes).toBeUndefined();
    const parts = told.findings.filter(({ kind, values }) => kind === 'part' && values.unitId === 1);
    expect(parts.map(({ values }) => values.count)).toEqual([125, 65]);
    const proposed = parts.flatMap(({ proposes }) => proposes?.devices ?? []);
    expect(proposed.map(({ address }) => address)).toEqual([{ unitId: 1 }, { unitId: 1 }]);
    expect(proposed.flatMap((device) => device.points)).toEqual(
      Array.from({ length: 190 }, (_, at) => ({ id: `holding_${210 + at}`, address: { table: 'holding', register: 210 + at } })),
    );
    const last = told.progress.at(-1);
    expect(last?.[0]).toBe(last?.[1]);
  });

  it('proposes no more parts of a device that answers everywhere than a list can hold', async () => {
    const told = await run('scan', rogue, { units: { first: 1, last: 1 }, tables: ['holding'], addresses: { first: 0, last: 20_000 } });
    const parts = told.findings.filter(({ kind }) => kind === 'part');
    expect(parts).toHaveLength(limits.scanPartsMax);
    expect(parts.at(-1)?.values).toMatchObject({ last: limits.scanPartsMax * limits.scanPointsMax - 1 });
    // The range is told whole all the same.
    expect(told.findings.at(1)).toMatchObject({ kind: 'range', values: { first: 0, last: 20_000 } });
    expect(JSON.stringify(told.findings).length).toBeLessThan(limits.surveyCharactersMax);
  });

  it('passes over the silent, the absent behind a gateway, and says who misbehaves', async () => {
    const told = await run('scan', rogue, { units: { first: 1, last: 5 }, tables: ['holding'], ranges: false }, { timeout: '100ms' });
    expect(textsOf(told)).toEqual(['unit 1 answers: holding 0 can be read', 'unit 4 answers: unit 99 answered, unit 4 was asked']);
    const behind = await run('scan', rogue, { units: { first: 109, last: 111 }, tables: ['holding'], ranges: false });
    expect(textsOf(behind)).toEqual(['unit 109 answers: exception 9: not in the standard']);
  });

  it('ends at requestsMax and says so, and at once when it is cancelled', async () => {
    const told = await run('scan', good, {
      units: { first: 1, last: 1 },
      tables: ['holding'],
      addresses: { first: 0, last: 1_000 },
      requestsMax: 12,
    });
    expect(told.turns).toHaveLength(12);
    expect(told.progress.at(-1)?.[2]).toMatch(/^ended after 12 requests \(requestsMax\), looking through holding 0-1000 of unit 1$/);
    const stopping = new AbortController();
    const cancelled = run(
      'scan',
      good,
      {},
      { signal: stopping.signal, onTurn: (count) => count === 7 && stopping.abort(new Error('not wanted')) },
    );
    await expect(cancelled).rejects.toThrow('not wanted');
  });

  it.each([
    [{ units: { first: 5, last: 4 } }, /below first/],
    [{ units: { first: 0, last: 300 } }, /255/],
    [{ requestsMax: 0 }, />=1|at least 1|1/],
    [{ tables: [] }, />=1|at least 1|1/],
  ])('refuses %j', (options, words) => {
    expect(() => driver.survey?.scan?.parse(options)).toThrow(words);
  });
});

describe('the byte-order detective', () => {
  const set = (register: number, type: string, order: string, value: unknown) =>
    good.ask({ set: value, unit: 1, table: 'holding', register, type, order });

  it.each<[string, string, number[], string]>([
    ['float32', 'ABCD', [230.4, 229.8, 231.1, 49.98], '230.4'],
    ['float32', 'CDAB', [230.4, 229.8, 231.1, 49.98], '230.4'],
    ['float32', 'DCBA', [21.5, 22.25, 19.75, 1013.5], '21.5'],
    ['float32', 'BADC', [0.97, 12.5, 55.5, 8.25], '0.97'],
    ['float64', 'ABCDEFGH', [1234.5678, 0.25], '1234.5678'],
    ['float64', 'GHEFCDAB', [1234.5678, 0.25], '1234.5678'],
    ['uint32', 'ABCD', [123_456, 98_765, 45_678, 99_999], '123456'],
    ['uint32', 'CDAB', [123_456, 98_765, 45_678, 99_999], '123456'],
  ])('%s %s: the first of all that it could be', async (type, order, values, shown) => {
    const width = type === 'float64' ? 4 : 2;
    await set(39, 'uint16', 'AB', 0x7ab3);
    for (const [index, value] of values.entries()) await set(40 + index * width, type, order, value);
    const told = await run('probe', good, { register: 40, count: 8 });
    expect(told.findings[0]?.text).toBe(`holding 40 (counted from 0) as ${type} ${order}: ${shown}`);
    expect(told.findings[0]?.proposes).toEqual({
      points: [{ id: 'holding_40', address: { table: 'holding', register: 40, type, order } }],
    });
    const scores = told.findings.map(({ score }) => score ?? 0);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    // All interpretations side by side, for whoever knows better.
    expect(new Set(told.findings.map(({ values }) => `${values.type} ${values.order}`)).size).toBeGreaterThan(20);
    for (const point of told.findings.flatMap(({ proposes }) => proposes?.points ?? []))
      expect(() => modbus.address.parse(point.address)).not.toThrow();
  });

  it('finds an address counted from 1, a scale, and a sign, when it is told what the display shows', async () => {
    for (const register of [58, 59, 60, 61, 62]) await set(register, 'uint16', 'AB', 7_777);
    await set(59, 'int16', 'AB', 2_304);
    const told = await run('probe', good, { register: 60, count: 4, expect: 230.5 });
    expect(told.findings[0]?.text).toMatch(/^holding 59 \(counted from 1\) as u?int16 AB: 2304 × 0.1 = 230.4$/);
    expect(told.findings[0]?.proposes?.points?.[0]).toMatchObject({ address: { register: 59 }, scale: 0.1 });
    await set(60, 'int16', 'AB', -155);
    const cold = await run('probe', good, { register: 60, count: 1, expect: -15.5 });
    expect(cold.findings[0]?.text).toBe('holding 60 (counted from 0) as int16 AB: -155 × 0.1 = -15.5');
  });

  it('knows a text, whichever way round', async () => {
    for (const order of ['AB', 'BA']) {
      for (const register of [80, 81, 82, 83, 84, 85]) await set(register, 'uint16', 'AB', 0);
      await set(80, 'string', order, 'Inverter 5');
      const told = await run('probe', good, { register: 80, count: 6 });
      expect(told.findings[0]?.text).toBe(`holding 80 (counted from 0) as string ${order}: Inverter 5`);
      expect(told.findings[0]?.proposes?.points?.[0]).toMatchObject({ address: { type: 'string', length: 5, order } });
    }
  });

  it('reads less where the device refuses, and says why nothing can be read', async () => {
    const told = await run('probe', good, { register: 196, count: 16 });
    expect(told.findings.length).toBeGreaterThan(0);
    await expect(run('probe', good, { register: 205, count: 4 })).rejects.toThrow(
      /nothing could be read: holding 205: exception 2.*; holding 204: exception 2/,
    );
    await expect(run('probe', rogue, { unitId: 2, register: 5 }, { timeout: '100ms' })).rejects.toThrow(
      /nothing could be read: holding 5: no answer/,
    );
  });
});
