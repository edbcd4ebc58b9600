/** SunSpec walked from the device: what is proposed reads, through the driver, what pysunspec2 says that it is. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import { readRequest } from '../../drivers/modbus/pdu.ts';
import { walkSunSpec } from '../../drivers/modbus/sunspec.ts';
import { modelOf } from '../../drivers/modbus/sunspec-points.ts';
import type { Driver, Finding, Survey } from '../../src/contract/driver.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
let far: FarProgram;
let findings: Finding[];
beforeAll(async () => {
  far = await startPython('modbus_sunspec.py');
  findings = [];
  await withSession([], async (session) => {
    const signal = AbortSignal.timeout(20_000);
    const survey: Survey = {
      turn: (_unit, call) => call(signal),
      progress: () => {},
      found: (finding) => void findings.splice(0, findings.length, ...findings.filter(({ id }) => id !== finding.id), finding),
    };
    await session.scan?.(driver.survey?.scan?.parse({ units: { first: 1, last: 5 }, tables: ['holding'] }), survey, signal);
  });
});
afterAll(() => far?.kill());

type Proposed = { id: string; address: { unitId: number }; title?: string; points: Record<string, unknown>[] };
const deviceOf = (unit: number) => findings.find(({ id }) => id === `unit ${unit}`)?.proposes?.devices?.[0] as Proposed | undefined;

async function withSession(
  devices: { id: string; address: unknown; points: Record<string, unknown>[] }[],
  run: (session: Awaited<ReturnType<Driver['open']>>, line: ReturnType<typeof buildLine>) => Promise<void>,
) {
  const line = buildLine(driver, { connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '5s' }, devices });
  const session = await driver.open(line, makeHost(), AbortSignal.timeout(5_000));
  try {
    await run(session, line);
  } finally {
    await session.close();
  }
}

describe('a scan of SunSpec devices', () => {
  it('finds the models by their ids, from wherever they begin, and says what the device calls itself', () => {
    expect(
      findings.filter(({ kind }) => kind === 'model').map(({ values }) => [values.unitId, values.model, values.name, values.register]),
    ).toEqual([
      [1, 1, 'common', 40_002],
      [1, 103, 'inverter', 40_070],
      [1, 160, 'mppt', 40_122],
      [2, 1, 'common', 50_002],
      [2, 64_001, 'unknown', 50_070],
      [2, 213, 'meter', 50_075],
      [4, 1, 'common', 40_002],
      [4, 123, 'controls', 40_070],
      [4, 704, 'ac_controls', 40_096],
      [4, 705, 'volt_var', 40_163],
      [4, 707, 'trip_low_voltage', 40_210],
      [5, 1, 'common', 2],
      [5, 64_001, 'unknown', 70],
      [5, 213, 'meter', 75],
    ]);
    expect(deviceOf(1)?.title).toBe('Example Solar EX-10K');
    expect(findings.find(({ id }) => id === 'unit 2')?.text).toMatch(
      /SunSpec from 50000: Example Meter; models common \(1\), 64001, meter \(213\)/,
    );
  });

  it('looks through ranges where there is no SunSpec', () => {
    expect(findings.filter(({ values }) => values.unitId === 3).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^unit 3 answers/),
      'unit 3: holding 0-99 can be read',
    ]);
  });

  it.each([1, 2, 4, 5])(
    'unit %i: every point it proposes reads what pysunspec2 has, and none that the device has not is proposed',
    async (unit) => {
      const device = deviceOf(unit);
      if (!device) throw new Error('nothing was proposed');
      const expected = (await far.ask({ values: unit })).value as Record<string, number | string>;
      const read = new Map<string, unknown>();
      await withSession([device], async (session, line) => {
        for (const request of session.plan?.(line.devices[0]?.points ?? []) ?? [])
          for (const { point, value, reason } of (await session.read?.(request, AbortSignal.timeout(5_000))) ?? []) {
            expect(reason, point.id).toBe('');
            read.set(point.id, value);
          }
      });
      const wanted = Object.entries(expected)
        .filter(([name]) => !/_SF$|Pad$/.test(name))
        .map(([name, value]) => {
          const [model, ...rest] = name.split(' ');
          return [[modelOf(Number(model))?.name, ...rest].join('_'), value] as const;
        });
      expect(wanted.length).toBeGreaterThan({ 1: 25, 2: 5, 4: 50, 5: 5 }[unit] ?? 0);
      expect(new Set(read.keys())).toEqual(new Set(wanted.map(([name]) => name)));
      for (const [name, value] of wanted)
        if (typeof value === 'number') expect(read.get(name), name).toBeCloseTo(value, 6);
        else expect(read.get(name), name).toBe(value);
    },
  );

  it('proposes names of states and flags, counters, units, and what says that there is no value', () => {
    const point = (id: string) => deviceOf(1)?.points.find((one) => one.id === id);
    expect(point('inverter_St')).toMatchObject({ enum: { 4: 'mppt' }, invalid: [65_535] });
    expect(point('inverter_Evt1')).toMatchObject({ bits: { 0: 'ground_fault' } });
    expect(point('inverter_WH')).toMatchObject({ unit: 'watth', counter: {}, invalid: [0] });
    expect(point('common_SN')).toMatchObject({ interval: 'once' });
    expect(point('mppt_2_DCW')).toBeUndefined();
    expect(point('inverter_W')?.access).toBeUndefined();
  });

  it('proposes what may be written as such, in groups within groups too, and it is written with its scale factor', async () => {
    const device = deviceOf(4);
    if (!device) throw new Error('nothing was proposed');
    const writable = device.points.filter(({ access }) => access === 'read-write').map(({ id }) => id);
    expect(writable).toEqual(
      expect.arrayContaining(['controls_WMaxLimPct', 'ac_controls_PFWInj_PF', 'volt_var_1_2_V', 'trip_low_voltage_2_MayTrip_1_V']),
    );
    expect(writable).not.toContain('volt_var_NPt');
    await withSession([device], async (session, line) => {
      for (const [id, value, word] of [
        ['controls_WMaxLimPct', 62.5, 625],
        ['volt_var_1_2_V', 97.5, 975],
        ['trip_low_voltage_2_MayTrip_1_V', 31.5, 315],
      ] as const) {
        const point = line.devices[0]?.points.find((one) => one.id === id);
        if (!point) throw new Error(`${id} was not proposed`);
        expect(await session.write?.(point, value, AbortSignal.timeout(5_000)), id).toEqual({ state: 'acknowledged' });
        expect((await far.ask({ register: (point.address as { register: number }).register })).value, id).toBe(word);
      }
    });
  });

  it('knows the models as the public definitions are now', () => {
    const folder = new URL('../../', import.meta.url).pathname;
    const env = { ...process.env, PYTHONPATH: `${folder}.far/python`, PYTHONDONTWRITEBYTECODE: '1' };
    const made: unknown = JSON.parse(execFileSync('python3', [`${folder}scripts/sunspec-models.py`], { env, encoding: 'utf8' }));
    expect(JSON.parse(readFileSync(`${folder}drivers/modbus/sunspec-models.json`, 'utf8'))).toEqual(made);
  });
});

it.each([0xffff, 0x1_0000])('ends where a device says that a model reaches to %i, past which nothing can be asked', async (end) => {
  const registers = new Map([
    [40_000, 0x5375],
    [40_001, 0x6e53],
    [40_002, 64_001],
    [40_003, end - 40_004],
  ]);
  const asked: number[] = [];
  const found: Finding[] = [];
  const read = (start: number, count: number) => {
    // Throws for a place there is none of, as the driver does.
    readRequest(1, 'holding', start, count);
    asked.push(start + count);
    const answer = Buffer.alloc(count * 2);
    for (let i = 0; i < count; i++) answer.writeUInt16BE(registers.get(start + i) ?? 0, i * 2);
    return Promise.resolve({ kind: 'answer' as const, answer });
  };
  const survey: Survey = {
    turn: (_unit, call) => call(AbortSignal.timeout(5_000)),
    progress: () => {},
    found: (one) => void found.push(one),
  };
  expect(await walkSunSpec(read, 1, survey)).toBe(true);
  expect(Math.max(...asked)).toBeLessThanOrEqual(0x1_0000);
  expect(found.map(({ kind, values }) => [kind, values.model])).toEqual([
    ['model', 64_001],
    ['unit', undefined],
  ]);
});
