import { expect } from 'vitest';

/**
 * Tries until one try takes less than `belowMs`, as it returns it, and expects one to. A busy machine delays some of them; a fault delays all.
 */
export async function expectBelow(belowMs: number, once: () => Promise<number>, tries = 8): Promise<void> {
  const tookMs: number[] = [];
  do tookMs.push(await once());
  while (tookMs.length < tries && Math.min(...tookMs) >= belowMs);
  expect(Math.min(...tookMs), `the quickest of ${tookMs.map(Math.round).join(', ')} ms`).toBeLessThan(belowMs);
}
