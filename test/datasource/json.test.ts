import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/datasource/settings/json.ts';

const parse = (text: string) => parseJson(Buffer.from(text));

describe('JSON from people', () => {
  it.each([
    ['{"a":x}', 'line 1, column 6 there is "x" where a value'],
    ['{"a" 1}', 'line 1, column 6 there is "1" where ":"'],
    ['[1 2]', 'line 1, column 4 there is "2" where "," or "]"'],
    ['{"a":1 "b":2}', 'line 1, column 8 there is "\\"" where "," or "}"'],
    ['[1,]', 'line 1, column 4 there is "]" where a value'],
    ['{a:1}', 'line 1, column 2 there is "a" where a name in double quotes or "}"'],
    ['{"a":1}x', 'line 1, column 8 there is "x" where the end of the text'],
    ['{"a":\n 01}', 'line 2, column 3 there is "1" where "," or "}"'],
    ['"a\nb"', 'line 1, column 3 there is "\\n" where a value'],
    ['"\\x"', 'line 1, column 2 there is "\\\\" where a value'],
    ['"', 'line 1, column 2 the text ends where a value'],
    ['', 'line 1, column 1 the text ends where a value'],
    ["{'a':1}", 'line 1, column 2 there is "\'"'],
    ['{"a":1}\r\n// note', 'line 2, column 1 there is "/"'],
    ['[NaN]', 'there is "N" where a value or "]"'],
  ])('%j', (text, words) => {
    expect(parse(text)).toEqual({ ok: false, message: expect.stringContaining(words) });
  });

  it('agrees with the platform about what is JSON, and always finds the place', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', ',', '}', ']', '{', '[', ':', '\\', '\n', '0', '-', 'e', 'é', '\u0000', '💡'))
      .map(([text, at, put]) => text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + 1));
    fc.assert(
      fc.property(broken, (text) => {
        const platform = attempt(() => JSON.parse(text) as unknown);
        const ours = parse(text);
        expect(ours.ok).toBe(platform.ok);
        if (!ours.ok)
          expect(ours.message).toMatch(/^is not JSON: at line \d+, column \d+ (the text ends|there is ".*") where .+ is expected$/);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes time in proportion to the text', () => {
    // Of processors, not of the clock.
    const began = process.cpuUsage();
    parse(`{"a":"${'\\\\'.repeat(300_000)}`);
    parse('['.repeat(600_000));
    parse(`[${'1,'.repeat(300_000)}`);
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(2_500);
  });
});

function attempt(run: () => unknown): { ok: boolean } {
  try {
    run();
    return { ok: true };
  } catch {
    return { ok: false };
  }
}
