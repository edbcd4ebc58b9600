import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores: more workers only make the real brokers and servers wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // What is awaited comes when the machine gets to it; the second that is usual is a measurement, and tests measure nothing.
    expect: { poll: { timeout: 15_000, interval: 20 } },
  },
});
