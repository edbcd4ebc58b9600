import { expect, it } from 'vitest';
import { HeaderFramer } from '../../drivers/serial/framing/header.ts';
import { limits } from '../../src/contract/limits.ts';

/** Noise in which every byte begins a frame of tens of thousands of bytes: what a hostile far end or a wrong baud rate may say. */
it('a flood in which every byte begins a long frame costs a bounded search, and the next frame is found', () => {
  const longest = limits.serialLineBytesMax;
  let searched = 0;
  const dropped: number[] = [];
  const framer = new HeaderFramer(
    {
      start: Buffer.alloc(0),
      headerLength: 3,
      measure: (head) => 3 + head.readUInt16BE(1),
      maxLength: longest,
      open(frame) {
        searched += frame.length;
        return frame[0] === 0xaa && frame.at(-1) === 0x55 ? frame.subarray(3, -1) : undefined;
      },
    },
    (_, bytes) => dropped.push(bytes.length),
  );
  const noise = Buffer.alloc(longest, 0x77);
  const frame = Buffer.from([0xaa, 0, 3, 0x6f, 0x6b, 0x55]);
  for (let turn = 0; turn < 3; turn++) {
    searched = 0;
    expect([...framer.push(noise)]).toEqual([]);
    expect([...framer.idle()]).toEqual([]);
    // Once for what came and once for the silence after it; byte by byte it would be a gigabyte.
    expect(searched).toBeLessThanOrEqual(2 * (limits.serialSearchBytesMax + longest));
    expect(searched).toBeGreaterThan(0);
    expect([...framer.push(frame)].map(String)).toEqual(['ok']);
  }
  expect(dropped.length).toBeGreaterThan(0);
});
