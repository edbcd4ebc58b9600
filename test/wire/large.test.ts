import fc from 'fast-check';
import { expect, it } from 'vitest';
import { QueryDataResponse } from '../../src/wire/generated/backend.ts';
import { encodeQueryData } from '../../src/wire/large.ts';

const response = fc.record({
  frames: fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 4 },
  ),
  error: fc.string({ unit: 'grapheme', maxLength: 200 }),
  jsonMeta: fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
  status: fc.integer({ min: 200, max: 599 }),
  errorSource: fc.constantFrom('', 'plugin', 'downstream'),
});

it('writes what the generated decoder reads back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 200 }), response), { maxLength: 5 }), (entries) => {
      const message: QueryDataResponse = { responses: new Map(entries) };
      expect(QueryDataResponse.decode(encodeQueryData(message))).toEqual(
        QueryDataResponse.decode(QueryDataResponse.encode(message).finish()),
      );
      expect(QueryDataResponse.decode(encodeQueryData(message)).responses).toEqual(message.responses);
    }),
    { numRuns: 200 },
  );
});
