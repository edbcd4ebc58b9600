import fc from 'fast-check';
import { expect, it } from 'vitest';
import { QueryDataResponse } from '../../src/wire/generated/backend.ts';
import { encodeQueryData, type LargeResponse } from '../../src/wire/large.ts';

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

/** As grpc-js makes a message of what a serializer answers. */
function sent(responses: ReadonlyMap<string, LargeResponse>): Buffer {
  const serialized = encodeQueryData(responses);
  const message = Buffer.alloc(serialized.byteLength + 5, 0xee);
  serialized.copy(message, 5);
  expect(message.subarray(0, 5)).toEqual(Buffer.alloc(5, 0xee));
  return message.subarray(5);
}

it('writes what the generated decoder reads back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 200 }), response), { maxLength: 5 }), (entries) => {
      const responses = new Map(entries);
      const whole = new Map(
        [...responses].map(([refId, { fields, frames }]) => [refId, { ...fields, frames: frames.map((pieces) => Buffer.concat(pieces)) }]),
      );
      const read = QueryDataResponse.decode(sent(responses));
      expect(read).toEqual(QueryDataResponse.decode(QueryDataResponse.encode({ responses: whole }).finish()));
      expect(read.responses).toEqual(whole);
    }),
    { numRuns: 200 },
  );
});
