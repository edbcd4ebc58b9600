import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readChunk, writeChunk } from '../../src/store/codec/chunk.ts';
import { samplesOf } from './old-chunks.ts';

const written: Record<string, string> = JSON.parse(readFileSync(new URL('old-chunks.json', import.meta.url), 'utf8'));

it.each(samplesOf())('an old chunk still gives $name', ({ name, version = 1, kind, rows }) => {
  const bytes = Buffer.from(written[name] ?? '', 'base64');
  expect(bytes[0]).toBe(version);
  const { length, times, bits, ...others } = readChunk(kind, bytes);
  const { length: _, times: expectedTimes, bits: expectedBits, valid, ...expected } = rows;
  expect([length, [...times], [...bits]]).toEqual([rows.length, [...expectedTimes], [...expectedBits]]);
  expect(others).toEqual(valid ? { ...expected, valid } : expected);
  // What a fold writes of it is of the version of today, and the same.
  const again = readChunk(kind, writeChunk(kind, rows));
  expect([[...again.times], [...again.bits], again.texts]).toEqual([[...expectedTimes], [...expectedBits], rows.texts]);
});

it('a chunk of a later version is refused by its number', () => {
  expect(() => readChunk('double', Uint8Array.of(9, 0, 0))).toThrow('a chunk of version 9, known are 1 and 2');
});
