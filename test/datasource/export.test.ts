import { execFileSync } from 'node:child_process';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import type { ColumnKind, Quality, Reason, Value } from '../../src/contract/sample.ts';
import { csvText, textOfCsv, timeText } from '../../src/datasource/export/text.ts';
import { type Plant, startPlant } from './plant.ts';

let plant: Plant;
const startMs = Date.parse('2026-01-31T12:00:00Z');

beforeAll(async () => {
  plant = await startPlant({ devices: [], connections: [] });
  await plant.ask('devices');
  await keep('meter', 'energy', 'uint64', [18446744073709551615n, 0n]);
  await keep('meter', 'steps', 'int64', [-9223372036854775808n, null]);
  await keep('meter', 'power', 'double', [0.1, -0, 1e21, null]);
  await keep('meter', 'on', 'boolean', [true, false]);
  await keep('meter', 'said', 'string', ['=cmd|calc', 'plain', '', 'a "quote", a comma', 'two\r\nlines', '-5.5', '@x', 'ü€😀']);
  await plant.store.append('1/plant', [entry('meter', 'fine', 'double', 1, startMs, { ns: 123n })], { now: true });
  // On a busy machine the reader of the store may take longer to start than a question waits.
  await plant.until(`export?${range}`, ({ status }) => status === 200);
});
afterAll(() => plant?.close());

function entry(device: string, point: string, kind: ColumnKind, value: Value, ms: number, { ns = 0n, bad = false } = {}) {
  const timeNs = BigInt(ms) * 1_000_000n + ns;
  const sample = { timeNs, arrivalNs: timeNs, value, quality: (bad ? 'bad' : 'good') as Quality, reason: (bad ? 'timeout' : '') as Reason };
  return { key: { device, point }, kind, sample };
}

/** One a second. */
async function keep(device: string, point: string, kind: ColumnKind, values: Value[]) {
  const entries = values.map((value, i) => entry(device, point, kind, value, startMs + i * 1_000, { bad: value === null }));
  await plant.store.append('1/plant', entries, { now: true });
}

const range = 'from=2026-01-31T12:00:00Z&to=2026-01-31T13:00:00Z';

describe('export', () => {
  it('is CSV in order of device, point and time', async () => {
    const { text, headers } = await plant.ask(`export?${range}&device=meter`);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="fieldgate-plant.csv"',
    });
    expect(text.split('\r\n').slice(0, 10)).toEqual([
      'time,device,point,value,quality,reason,kind',
      '2026-01-31T12:00:00.000Z,meter,energy,18446744073709551615,good,,uint64',
      '2026-01-31T12:00:01.000Z,meter,energy,0,good,,uint64',
      '2026-01-31T12:00:00.000000123Z,meter,fine,1,good,,double',
      '2026-01-31T12:00:00.000Z,meter,on,true,good,,boolean',
      '2026-01-31T12:00:01.000Z,meter,on,false,good,,boolean',
      '2026-01-31T12:00:00.000Z,meter,power,0.1,good,,double',
      expect.stringMatching(/^2026-01-31T12:00:01.000Z,meter,power,-?0,good,,double$/),
      '2026-01-31T12:00:02.000Z,meter,power,1e+21,good,,double',
      "2026-01-31T12:00:00.000Z,meter,said,'=cmd|calc,good,,string".replace("'=cmd|calc", '"\'=cmd|calc"'),
    ]);
    expect(text).toContain('said,"a ""quote"", a comma",good');
    expect(text).toContain('said,"two\r\nlines",good');
    expect(text).toContain('said,-5.5,good');
    expect(text).toContain('said,"\'@x",good');
    expect(text).toContain('said,"",good');
    expect(text.endsWith('\r\n')).toBe(true);
  });

  it('is NDJSON with exact integers and texts as they are', async () => {
    const { text, headers } = await plant.ask(`export?${range}&format=ndjson&point=energy&point=/^said$/&point=steps&quality=all`);
    expect(headers['content-type']).toBe('application/x-ndjson');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toEqual({
      time: '2026-01-31T12:00:00.000Z',
      device: 'meter',
      point: 'energy',
      value: '18446744073709551615',
      quality: 'good',
      reason: '',
      kind: 'uint64',
    });
    expect(lines.filter(({ point }) => point === 'said').map(({ value }) => value)).toEqual([
      '=cmd|calc',
      'plain',
      '',
      'a "quote", a comma',
      'two\r\nlines',
      '-5.5',
      '@x',
      'ü€😀',
    ]);
    expect(lines.at(-1)).toEqual({
      time: '2026-01-31T12:00:01.000Z',
      device: 'meter',
      point: 'steps',
      value: null,
      quality: 'bad',
      reason: 'timeout',
      kind: 'int64',
    });
  });

  it('is an Arrow stream with a column for each kind of value', async () => {
    const reader = plant.open(`export?${range}&format=arrow&quality=all`);
    await reader.ended;
    expect(reader.headers['content-type']).toBe('application/vnd.apache.arrow.stream');
    const rows = tableFromIPC(reader.bytes)
      .toArray()
      .map((row) => row.toJSON());
    const of = (point: string, column: string) => rows.filter((row) => row.point === point).map((row) => row[column]);
    expect(of('energy', 'uint64')).toEqual([18446744073709551615n, 0n]);
    expect(of('energy', 'double')).toEqual([null, null]);
    expect(of('steps', 'int64')).toEqual([-9223372036854775808n, null]);
    expect(of('power', 'double')).toEqual([0.1, expect.anything(), 1e21, null]);
    expect(of('on', 'boolean')).toEqual([true, false]);
    expect(of('said', 'string')?.at(-1)).toBe('ü€😀');
    expect(of('power', 'quality')).toEqual(['good', 'good', 'good', 'bad']);
    expect(of('power', 'reason')).toEqual(['', '', '', 'timeout']);
  });

  it('takes a range half-open, in several spellings, and says what is allowed', async () => {
    const rows = async (query: string) => (await plant.ask(`export?point=power&quality=all&${query}`)).text.split('\r\n').length - 2;
    expect(await rows(range)).toBe(4);
    expect(await rows(`from=${startMs + 1_000}&to=${startMs + 3_000}`)).toBe(2);
    expect(await rows('from=2026-01-31T13:00:01%2B01:00&to=2026-01-31T12:00:02.000Z')).toBe(1);
    expect(await rows('from=2026-01-31&to=2026-02-01')).toBe(4);
    expect(await rows('from=now-3650d&to=now-1ms')).toBe(startMs < Date.now() ? 4 : 0);
    for (const [query, place] of [
      ['from=now&to=now', 'from'],
      ['from=yesterday', 'from'],
      ['from=2026-01-31T12:00:00', 'from'],
      ['to=99999999999999999', 'to'],
      ['to=now-x', 'to'],
      ['format=xlsx', 'format'],
      ['quality=best', 'quality'],
      ['device=/(/', 'devices[0]'],
      [`device=${'x'.repeat(600)}`, 'device'],
      [Array.from({ length: 101 }, () => 'point=a').join('&'), 'point'],
      ['label=site', 'label'],
    ])
      expect(await plant.ask(`export?${query}`), query).toMatchObject({ status: 400, json: { place } });
  });

  it('is empty but whole where there is nothing', async () => {
    expect((await plant.ask('export?device=nobody')).text).toBe('time,device,point,value,quality,reason,kind\r\n');
    expect((await plant.ask('export?device=nobody&format=ndjson')).text).toBe('');
    const arrow = plant.open('export?device=nobody&format=arrow');
    await arrow.ended;
    expect(tableFromIPC(arrow.bytes).schema.fields.map(({ name }) => name)).toEqual([
      'time',
      'device',
      'point',
      'quality',
      'reason',
      'kind',
    ]);
  });
});

describe('a long export', () => {
  const rows = 150_000;
  beforeAll(async () => {
    for (let at = 0; at < rows; at += 10_000) {
      // Not evenly: a burst within a millisecond and long silences.
      const entries = Array.from({ length: 10_000 }, (_, i) => {
        const n = at + i;
        return entry('line', 'speed', 'double', n, startMs + (n < 50_000 ? 0 : 1 + (n - 50_000) * 50), { ns: n < 50_000 ? BigInt(n) : 0n });
      });
      await plant.store.append('1/plant', entries);
    }
    await plant.store.flush();
  });
  const path = 'export?from=2026-01-31&to=2026-03-01&device=line&format=ndjson';

  it('is whole, in order and in bounded pieces', async () => {
    const reader = plant.open(path);
    expect(await reader.ended).toBeUndefined();
    const values = reader.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).value as number);
    expect(values.length).toBe(rows);
    expect(values.every((value, i) => value === i)).toBe(true);
    expect(reader.largest).toBeLessThanOrEqual(limits.partBytesMax);
  });

  it('waits for its reader, and ends with him', async () => {
    const reader = plant.open(path);
    await reader.until((text) => text.length > 100_000);
    reader.pause();
    const before = reader.text.length;
    // Other questions are answered meanwhile, and nothing more comes than what was on its way.
    for (let i = 0; i < 20; i += 1) expect((await plant.ask('devices')).status).toBe(200);
    expect(reader.text.length - before).toBeLessThanOrEqual(2 * limits.partBytesMax);
    reader.leave();
    expect(await reader.ended).toBeDefined();
    expect(reader.text.length).toBeLessThan(rows * 80);
  });

  it('is one of few', async () => {
    const readers = Array.from({ length: limits.exportsOpenMax }, () => plant.open(path));
    for (const reader of readers) {
      await reader.until((text) => text !== '');
      reader.pause();
    }
    expect(await plant.ask(path)).toMatchObject({ status: 429, json: { type: 'urn:fieldgate:problem:too-many-exports' } });
    expect((await plant.ask(path, { method: 'HEAD' })).status).toBe(200);
    for (const reader of readers) reader.leave();
    await Promise.all(readers.map((reader) => reader.ended));
    expect((await plant.ask('export?device=nobody')).status).toBe(200);
  });
});

describe('a cell of CSV', () => {
  it('comes back from another reader as it was, and never begins a formula', () => {
    const seeds = ['=1+1', '+x', '-x', '@x', '\tx', '\rx', '\nx', ' =x', '＝x', '-1', '+1.5e3', '-', '"', "'", ''];
    const random = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      fc.tuple(fc.constantFrom(...seeds), fc.string()).map((parts) => parts.join('')),
    );
    // Python's reader takes no zero byte.
    const texts = [...seeds, ...fc.sample(random, 3_000)].map((text) => text.replaceAll('\0', ''));
    const rows = texts.map((text) => `${csvText(text)},x\r\n`).join('');
    const script =
      'import csv,io,json,sys; print(json.dumps(list(csv.reader(io.StringIO(sys.stdin.buffer.read().decode("utf-8"), newline="")))))';
    const read = JSON.parse(execFileSync('python3', ['-c', script], { input: rows, maxBuffer: 1e8 }).toString()) as string[][];
    expect(read.length).toBe(texts.length);
    read.forEach(([cell = ''], i) => {
      const text = texts[i] ?? '';
      expect([text, `'${text}`]).toContain(cell);
      expect(textOfCsv(cell)).toBe(text);
      if (Number.isNaN(Number(cell)) || cell.trim() === '') expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
    });
  });

  it('has a time of any age', () => {
    expect(timeText(0n)).toBe('1970-01-01T00:00:00.000Z');
    expect(timeText(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
    expect(timeText(9_223_372_036_854_775_807n)).toBe('2262-04-11T23:47:16.854775807Z');
  });
});
