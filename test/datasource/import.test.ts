import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { type ColumnKind, columnKinds, qualities, type Reason, type Value } from '../../src/contract/sample.ts';
import { readCsv } from '../../src/datasource/import/csv.ts';
import { readArrow } from '../../src/frame/arrow-read.ts';
import type { Entry } from '../../src/store/store.ts';
import { type Plant, startPlant } from './plant.ts';

const startMs = Date.now() - 3_600_000 - (Date.now() % 1_000);
const types = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson', arrow: 'application/vnd.apache.arrow.stream' } as const;
const plants: Plant[] = [];

async function freshPlant(): Promise<Plant> {
  const plant = await startPlant({ devices: [], connections: [] });
  plants.push(plant);
  await plant.until('export', ({ status }) => status === 200);
  return plant;
}
let plant: Plant;
beforeAll(async () => {
  plant = await freshPlant();
});
afterAll(() => Promise.all(plants.map((one) => one.close())));

function bring(to: Plant, body: string | Uint8Array, type: string = types.csv) {
  return to.ask('import', { method: 'POST', body, headers: { 'content-type': type } });
}

async function exported(from: Plant, format: keyof typeof types): Promise<Buffer> {
  const reader = from.open(`export?from=now-1d&to=now&quality=all&format=${format}`);
  expect(await reader.ended).toBeUndefined();
  return Buffer.from(reader.bytes);
}

const values: Record<ColumnKind, fc.Arbitrary<Value>> = {
  double: fc.double({ noNaN: true, noDefaultInfinity: true }),
  int64: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: fc.bigInt(0n, 2n ** 64n - 1n),
  boolean: fc.boolean(),
  string: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string(),
    fc.constantFrom('', '=1+1', "'=1+1", "''-x", '-5', "'-5", '"', 'a\r\nb', 'true', '12', ' x ', 'ü€😀', ',', 'a\ufffdb'),
  ),
};

/** Everything a history may hold, at odd times. */
function history(count: number): Entry[] {
  return columnKinds.flatMap((kind, series) =>
    fc.sample(fc.option(values[kind], { freq: 8 }), count).map((value, i): Entry => {
      const timeNs = BigInt(startMs + i * 1_000) * 1_000_000n + BigInt(i % 3 === 0 ? i + series : 0);
      const bad = value === null;
      const sample = {
        timeNs,
        arrivalNs: timeNs,
        value,
        quality: qualities[bad ? 2 : i % 2] ?? 'good',
        reason: (bad ? 'exception-2' : '') as Reason,
      };
      // Two points have one kind each, the third has all.
      return { key: { device: `meter-${i % 2}.x`, point: i % 5 === 0 ? 'anything' : kind }, kind, sample };
    }),
  );
}

function entryOf(value: string): Entry {
  const timeNs = BigInt(startMs) * 1_000_000n;
  return { key: { device: 'd', point: 'p' }, kind: 'string', sample: { timeNs, arrivalNs: timeNs, value, quality: 'good', reason: '' } };
}

describe('history moves to another instance', () => {
  beforeAll(async () => {
    const entries = history(2_500);
    for (let at = 0; at < entries.length; at += 2_000) await plant.store.append('1/plant', entries.slice(at, at + 2_000));
    await plant.store.flush();
  });

  it.each(['csv', 'ndjson', 'arrow'] as const)('as %s, and is exported from there byte by byte', async (format) => {
    const file = await exported(plant, format);
    const other = await freshPlant();
    expect((await bring(other, file, types[format])).json).toEqual({ imported: 12_500, refused: 0, faults: [], older: 0 });
    for (const again of ['csv', 'ndjson', 'arrow'] as const)
      expect((await exported(other, again)).equals(await exported(plant, again))).toBe(true);
    // The same once more is kept once.
    expect((await bring(other, file, types[format])).json).toMatchObject({ imported: 12_500 });
    expect((await exported(other, format)).equals(file)).toBe(true);
  });
});

const at = (i: number) => new Date(startMs + i * 1_000).toISOString();

describe('import', () => {
  it('names each bad line and takes the others', async () => {
    const to = await freshPlant();
    const lines = [
      'time,device,point,value,quality,reason,kind',
      `${at(0)},d,p,1,good,,double`,
      `yesterday,d,p,1,good,,double`,
      `${at(1)},d,p,1e400,good,,double`,
      `${at(1)},d,p,1`,
      `"${at(1)}"x,d,p,1,good,,double`,
      `${at(1)},d d,p,1,good,,double`,
      `${at(1)},d,a.b,1,good,,double`,
      `${at(1)},d,p,1,fine,,double`,
      `${at(1)},d,p,1,good,No Reason,double`,
      `${at(1)},d,p,1,good,,float`,
      `${at(1)},d,e,18446744073709551616,good,,uint64`,
      `${at(1)},d,on,1,good,,boolean`,
      `${new Date(Date.now() + 600_000).toISOString()},d,p,1,good,,double`,
      `2026-01-31T12:00:00,d,p,1,good,,double`,
      '',
      `${at(2)},d,said,"two`,
      `lines",good,,string`,
      `${at(2)},d,p,2,good,,double`,
      `${at(3)},d,said,"open,good,,string`,
      `${at(4)},d,p,4,good,,double`,
    ];
    const { json } = await bring(to, lines.join('\n'));
    expect(json.faults.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20]);
    expect(json.faults.map(({ message }: { message: string }) => message)).toEqual([
      expect.stringContaining('line 3 has the time "yesterday"; allowed is ISO 8601 with a zone'),
      expect.stringContaining('line 4 has the value "1e400", which is no double'),
      'line 5 has 4 columns; the head has 7',
      'line 6 has something between a closing quote and the next comma',
      'line 7 has a device that is no name: "d d"',
      'line 8 has a point that is no name: "a.b"',
      'line 9 has the quality "fine"; allowed is good, uncertain, bad',
      'line 10 has the reason "No Reason"',
      'line 11 has the kind "float"; allowed is double, int64, uint64, boolean, string',
      expect.stringContaining('line 12 has the value "18446744073709551616", which is no uint64'),
      expect.stringContaining('line 13 has the value "1", which is no boolean'),
      expect.stringContaining('line 14 has a time that has not come yet'),
      expect.stringContaining('line 15 has the time "2026-01-31T12:00:00"'),
      'line 20 has a quote that is not closed',
    ]);
    expect(json).toMatchObject({ imported: 4, refused: 14 });
    const file = (await exported(to, 'csv')).toString();
    expect(file).toContain('d,said,"two\nlines",good');
    expect(file.match(/,d,p,/g)).toHaveLength(3);
  });

  it('reads what others write: fewer columns in another order, times in milliseconds, kinds as the values have them', async () => {
    const to = await freshPlant();
    const csv = `\ufeffvalue,point,note,device,time\n1.5,a,x,d,${startMs}\ntrue,b,,d,${startMs}\n"12",c,,d,${startMs}\n9007199254740993,e,,d,${startMs}\n,a,,d,${startMs + 1}\n`;
    expect((await bring(to, csv)).json).toMatchObject({ imported: 5, refused: 0 });
    const kinds = (await to.ask('series')).json.series.map(({ point, kind }: { point: string; kind: string }) => [point, kind]);
    expect(kinds).toEqual([
      ['a', 'double'],
      ['b', 'boolean'],
      ['c', 'string'],
      ['e', 'int64'],
    ]);
    // A series that is there says what a number without a kind means.
    await bring(
      to,
      `${JSON.stringify({ time: at(9), device: 'd', point: 'e', value: 5 })}\nnot json\n[1]\n\n{"device":"d"}\n`,
      types.ndjson,
    ).then(({ json }) => expect(json).toMatchObject({ imported: 1, refused: 3, faults: [{ line: 2 }, { line: 3 }, { line: 5 }] }));
    expect((await to.ask('series?point=e')).json.series).toMatchObject([{ kind: 'int64', samples: 2 }]);
  });

  it.each(Object.entries(types))(
    '%s: takes a replacement character for one, and bytes that are no UTF-8 for none',
    async (format, type) => {
      const from = await freshPlant();
      const written = entryOf('a\ufffdb');
      await from.store.append('1/plant', [written, { ...written, key: { device: 'd', point: 'q' } }], { now: true });
      const file = await exported(from, format as keyof typeof types);
      const to = await freshPlant();
      expect((await bring(to, file, type)).json).toMatchObject({ imported: 2, refused: 0 });
      // Half a character instead of the first one.
      const at = file.indexOf('\ufffd');
      const { json } = await bring(to, Buffer.from(file).fill(0xc3, at, at + 1), type);
      // Arrow has each series by itself; of a text as a whole nobody knows which was meant.
      expect(json.refused).toBe(format === 'arrow' ? 1 : 2);
      expect(json.faults[0].message).toMatch(/has a text that is no UTF-8$/);
    },
  );

  it('says what it does not take', async () => {
    const refused = async (body: string | Uint8Array, headers: Record<string, string>) => {
      const { status, json } = await plant.ask('import', { method: 'POST', body, headers });
      return [status, json.type.split(':').at(-1), json.detail];
    };
    expect(await refused('{}', { 'content-type': 'application/json' })).toEqual([
      415,
      'unsupported-media-type',
      expect.stringContaining('text/csv'),
    ]);
    expect(await refused('x', { 'content-type': 'text/plain' })).toContain(415);
    expect(await refused('x', { 'content-type': 'text/csv', 'content-encoding': 'gzip' })).toContain(415);
    expect(await refused('a,b\n1,2', { 'content-type': 'text/csv' })).toEqual([
      400,
      'bad-import',
      expect.stringContaining('no column time, device, point, value'),
    ]);
    expect(await refused('', { 'content-type': 'text/csv' })).toContain('bad-import');
    expect(await refused('this is no arrow at all', { 'content-type': types.arrow })).toContain('bad-import');
    const large = Buffer.alloc(limits.importBytesMax + 1, 'x');
    expect(await refused(large, { 'content-type': 'text/csv' })).toEqual([
      413,
      'body-too-large',
      expect.stringContaining('several requests'),
    ]);
    expect((await plant.ask('import', { method: 'POST', body: 'x', role: 'Editor', headers: { 'content-type': 'text/csv' } })).status).toBe(
      403,
    );
  });

  it('takes what is whole of an Arrow stream that breaks off, whatever its bytes are', async () => {
    const file = await exported(plant, 'arrow');
    const to = await freshPlant();
    const { json } = await bring(to, file.subarray(0, Math.floor(file.length * 0.6)), types.arrow);
    expect(json.imported).toBeGreaterThan(1_000);
    let random = 1;
    for (let i = 0; i < 60; i += 1) {
      const bytes = Buffer.from(file.subarray(0, 20_000));
      for (let k = 0; k < 20; k += 1) {
        random = (random * 48_271) % 2_147_483_647;
        bytes[random % bytes.length] = random % 251;
      }
      expect([200, 400]).toContain((await bring(to, bytes, types.arrow)).status);
    }
  });

  it('believes no count in an Arrow stream: each byte of its head may be any', { timeout: 60_000 }, async () => {
    const head = (await exported(plant, 'arrow')).subarray(0, 6_000);
    let most = 0;
    for (let place = 0; place < head.length; place += 1) {
      for (const wrong of [1, 0x7f, 0xff]) {
        const bytes = Buffer.from(head);
        bytes[place] = wrong;
        let rows = 0;
        try {
          for (const _ of readArrow(bytes)) rows += 1;
        } catch (error) {
          expect((error as Error).message).toMatch(/^(is no Arrow|cannot be read as Arrow)/);
        }
        most = Math.max(most, rows);
      }
    }
    // No row without at least the eight bytes of its time.
    expect(most).toBeLessThan(head.length / 8);
    expect(most).toBeGreaterThan(10);
  });

  it('counts what the retention will delete, lets others ask meanwhile, and is one of few', async () => {
    const to = await freshPlant();
    const lines = [
      'time,device,point,value',
      ...Array.from({ length: 60_000 }, (_, i) => `${startMs - i * 100},d,p,${i}`),
      '2001-01-01T00:00:00Z,d,p,1',
    ];
    const running = [0, 1].map(() => bring(to, lines.join('\r\n')));
    let done = false;
    const ended = Promise.all(running).then((all) => {
      done = true;
      return all;
    });
    let between = 0;
    let busy = 0;
    while (!done) {
      if ((await to.ask('devices')).status === 200 && !done) between += 1;
      if (!done && (await bring(to, 'time,device,point,value\n')).status === 429) busy += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const { json } of await ended) expect(json).toEqual({ imported: 60_001, refused: 0, faults: [], older: 1 });
    expect(between).toBeGreaterThan(2);
    expect(busy).toBeGreaterThan(0);
    expect((await to.ask('series')).json.series).toMatchObject([{ samples: 60_001 }]);
  });
});

it('CSV is read as another reader reads it', () => {
  const cell = fc.oneof(fc.string(), fc.constantFrom('"', 'a"b', '""', ',', '\n', '\r\n', '', ' x'));
  const tables = fc.sample(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 }), 300);
  const clean = tables.map((rows) => rows.map((cells) => cells.map((text) => text.replaceAll('\0', ''))));
  const script = `
import csv, io, json, sys
out = []
for rows in json.load(sys.stdin):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    out.append(text.getvalue())
print(json.dumps(out))`;
  const written = JSON.parse(
    execFileSync('python3', ['-c', script], { input: JSON.stringify(clean), maxBuffer: 1e8 }).toString(),
  ) as string[];
  written.forEach((text, i) => {
    const read = [...readCsv(text)].map((record) => ('cells' in record ? record.cells.map((one) => one.text) : record.problem));
    expect(read).toEqual(clean[i]);
  });
});
