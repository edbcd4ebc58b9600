import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Node strips types by WebAssembly, in each thread anew, and V8 (Node 24.21) now and then crashes when such threads come and go by the hundred:
// WasmEngine::FreeDeadCode after its module is gone. With a cache each file is stripped once. The product is bundled and strips nothing.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'fieldgate-compile-cache');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/temporary.ts',
    // Two cores: more workers only make the real brokers and servers wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // What is awaited comes when the machine gets to it; the second that is usual is a measurement, and tests measure nothing.
    expect: { poll: { timeout: 15_000, interval: 20 } },
  },
});
