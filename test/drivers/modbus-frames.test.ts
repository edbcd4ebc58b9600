import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeFrame, OutOfStep, takeFrame } from '../../drivers/modbus/mbap.ts';

const frame = fc.record({ transaction: fc.integer({ min: 0, max: 65_535 }), body: fc.uint8Array({ minLength: 2, maxLength: 254 }) });

describe('frames of Modbus TCP', () => {
  it('come out as they went in, wherever the bytes are divided', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.infiniteStream(fc.integer({ min: 1, max: 300 })), (frames, sizes) => {
        const wire = Buffer.concat(frames.map(({ transaction, body }) => makeFrame(transaction, body)));
        const taken: { transaction: number; body: number[] }[] = [];
        let received: Buffer = Buffer.alloc(0);
        for (let at = 0; at < wire.length; ) {
          const size = sizes.next().value ?? 1;
          received = Buffer.concat([received, wire.subarray(at, at + size)]);
          at += size;
          for (let next = takeFrame(received); next; next = takeFrame(received)) {
            taken.push({ transaction: next.frame.transaction, body: [next.frame.unitId, ...next.frame.pdu] });
            received = next.rest;
          }
        }
        expect(received.length).toBe(0);
        expect(taken).toEqual(frames.map(({ transaction, body }) => ({ transaction, body: [...body] })));
      }),
    );
  });

  it('or it is said that these bytes are none: nothing else, whatever comes, and never more than one frame is kept', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (junk) => {
        let received: Buffer = Buffer.from(junk);
        try {
          for (let next = takeFrame(received); next; next = takeFrame(received)) received = next.rest;
          expect(received.length).toBeLessThan(6 + 254);
        } catch (error) {
          expect(error).toBeInstanceOf(OutOfStep);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
