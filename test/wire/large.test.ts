import fc from 'fast-check';
import { expect, it } from 'vitest';
import { QueryDataResponse } from '../../src/wire/generated/backend.ts';
import { type LargeResponse, partsOf } from '../../src/wire/large.ts';

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

/** Frames of up to three pieces, of which some may be empty. */
const response: fc.Arbitrary<LargeResponse> = fc.record({
  fields: fc.record({
    frames: fc.constant([]),
    error: fc.string({ unit: 'grapheme', maxLength: 200 }),
    jsonMeta: bytes(0, 5).map((some) => Buffer.from(some)),
    status: fc.integer({ min: 200, max: 599 }),
    errorSource: fc.constantFrom('', 'plugin', 'downstream'),
  }),
  frames: fc.array(fc.tuple(bytes(1, 300), bytes(0, 9), bytes(0, 300)), { maxLength: 4 }),
});

it('writes what the generated decoder reads back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 200 }), response), { maxLength: 5 }), (entries) => {
      const responses = new Map(entries);
      const whole = new Map(
        [...responses].map(([refId, { fields, frames }]) => [refId, { ...fields, frames: frames.map((pieces) => Buffer.concat(pieces)) }]),
      );
      const read = QueryDataResponse.decode(Buffer.concat(partsOf(responses)));
      expect(read).toEqual(QueryDataResponse.decode(QueryDataResponse.encode({ responses: whole }).finish()));
      expect(read.responses).toEqual(whole);
    }),
    { numRuns: 200 },
  );
});
