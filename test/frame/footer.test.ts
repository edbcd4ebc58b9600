/** What is kept of a frame's footer belongs to frames that say the same, however many rows they have. */
import { Footer } from 'apache-arrow/ipc/metadata/file';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { frameToArrow } from '../../src/frame/arrow.ts';
import type { Frame } from '../../src/frame/frame.ts';
import { readFrame } from './read.ts';

const text = fc.constantFrom('a', '1 a');
const shapes = fc.record({
  rows: fc.integer({ min: 0, max: 40 }),
  name: text,
  refId: text,
  label: text,
  unit: fc.option(text, { nil: undefined }),
  isText: fc.boolean(),
  hasNull: fc.boolean(),
});

it('frames made one after the other are each read as what they are', () => {
  fc.assert(
    fc.property(fc.array(shapes, { minLength: 20, maxLength: 60 }), (list) => {
      for (const { rows, name, refId, label, unit, isText, hasNull } of list) {
        const numbers = Array.from({ length: rows }, (_, row) => row + 0.5);
        const valid = Uint8Array.from({ length: rows }, (_, row) => (hasNull && row === 0 ? 0 : 1));
        const frame: Frame = {
          name,
          refId,
          fields: [
            { name: 'time', type: 'time', values: BigInt64Array.from(numbers, (_, row) => BigInt(row)) },
            {
              ...(isText ? { type: 'string', values: numbers.map(String) } : { type: 'float64', values: Float64Array.from(numbers) }),
              name,
              valid,
              labels: { label },
              ...(unit === undefined ? {} : { config: { unit } }),
            },
          ],
        };
        const first = readFrame(frameToArrow(frame));
        const file = Buffer.concat(frameToArrow(frame));
        // The file ends with the footer, its length and six letters; before it stand the batch and eight bytes for the end of batches.
        const footerBytes = file.readInt32LE(file.length - 10);
        const block = Footer.decode(file.subarray(-10 - footerBytes, -10)).getRecordBatch(0);
        expect(block?.offset).toBe(8);
        expect(8 + (block?.metaDataLength ?? 0) + (block?.bodyLength ?? 0) + 8 + footerBytes + 10).toBe(file.length);
        expect(readFrame(frameToArrow(frame))).toEqual(first);
        expect(first).toMatchObject({ name, refId });
        const values = numbers.map((number, row) => (hasNull && row === 0 ? null : isText ? String(number) : number));
        const read = first.fields[1];
        expect(read?.values).toEqual(values);
        expect(read).toMatchObject({ labels: { label }, nullable: hasNull && rows > 0 });
        expect(read?.config).toEqual(unit === undefined ? undefined : { unit });
      }
    }),
    { numRuns: 30 },
  );
});
