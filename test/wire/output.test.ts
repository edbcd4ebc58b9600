import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import { line } from '../../src/wire/stderr.ts';
import { collect, launch, type Message, type Plugin, protocol, stopAll, until } from './plugin.ts';

afterEach(stopAll);

/** What go-plugin's host needs of a line: anything else it shows as raw text, and other types in these three make it panic. */
function expectHostReads(text: string): Record<string, unknown> {
  expect(text).toMatch(/^[^\n]*\n$/);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.logLineBytesMax);
  const parsed = JSON.parse(text) as Record<string, unknown>;
  expect(parsed['@level']).toMatch(/^(debug|info|warn|error)$/);
  expect(typeof parsed['@message']).toBe('string');
  expect(parsed['@timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  for (const value of Object.values(parsed)) expect(['string', 'number', 'boolean']).toContain(typeof value);
  return parsed;
}

async function call(plugin: Plugin, path: string): Promise<void> {
  await collect(plugin.client(protocol.pluginv2.Resource).CallResource?.({ path, method: 'GET' }) as AsyncIterable<Message>);
}

describe('a line of the log', () => {
  it('is one the host reads, whatever is in it', () => {
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.double(), fc.bigInt(), fc.boolean());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), value), (message, fields) => {
        expectHostReads(line('info', message, fields, systemClock));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the three keys of the host out of reach of fields', () => {
    const parsed = expectHostReads(line('warn', 'm', { '@message': 1, '@timestamp': 'x', '@level': true, timestamp: 5 }, systemClock));
    expect(parsed).toMatchObject({ '@message': 'm', '@level': 'warn' });
  });

  it.each([
    ['a long message', 'x'.repeat(1_000_000), {}],
    ['a message of control characters', '\u0001'.repeat(1_000_000), {}],
    ['a long field', 'm', { raw: '\u0001'.repeat(1_000_000) }],
    ['many long fields', 'm', Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, '€'.repeat(10_000)]))],
  ])('is cut below what the host takes as a line: %s', (_what, message, fields) => {
    expectHostReads(line('error', message, fields, systemClock));
  });

  it('says numbers as they are where JSON cannot', () => {
    expect(expectHostReads(line('info', 'm', { a: Number.NaN, b: 2n ** 64n, c: undefined }, systemClock))).toMatchObject({
      a: 'NaN',
      b: '18446744073709551616',
    });
  });
});

describe('output', () => {
  it('has nothing but the handshake on stdout, whatever a library prints, and only lines the host reads on stderr', async () => {
    const plugin = await launch();
    await call(plugin, 'print');
    await until(() => plugin.log().some((entry) => String(entry['@message']).includes('[1]')));
    expect(plugin.stdout()).toMatch(/^1\|2\|[^\n]*\n$/);
    for (const text of plugin.stderr().split('\n').slice(0, -1)) expectHostReads(`${text}\n`);
    const messages = plugin.log().map((entry) => entry['@message']);
    expect(messages).toContain('to stdout');
    expect(messages).toContain('{"@message":1,"@level":{}}');
  });

  it('goes on working when the host does not read stderr', async () => {
    const plugin = await launch();
    plugin.process.stderr?.pause();
    // Each call logs a stack of some hundred bytes: far more than a pipe and a reader's buffer hold.
    for (let round = 0; round < 1_500; round++) await call(plugin, 'bug');
    plugin.process.stderr?.resume();
    await until(() => plugin.log().length > 500);
    await call(plugin, 'bug');
    const before = plugin.log().length;
    expect(before).toBeLessThan(1_600);
  });
});
