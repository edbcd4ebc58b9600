import { describe, expect, it } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { compilePattern, patternSchema } from '../../src/contract/pattern.ts';

describe('regular expressions of people', () => {
  it('give what their named groups took, and nothing for one that took no part', () => {
    const pattern = compilePattern('T=(?<air>[-0-9.]+)(;S=(?<soil>\\d+))?');
    expect(pattern.groups).toEqual(['air', 'soil']);
    expect(pattern.find('x T=-1.5;S=40 y')).toEqual({ air: '-1.5', soil: '40' });
    expect(pattern.find('T=2')).toEqual({ air: '2', soil: undefined });
    expect(pattern.find('t=2')).toBeUndefined();
    expect([pattern.test('T=2'), pattern.test('T=')]).toEqual([true, false]);
  });

  it('take time that grows with the text and no faster', () => {
    const pattern = compilePattern('^(a+)+$');
    const started = performance.now();
    expect(pattern.test(`${'a'.repeat(20_000)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each([
    ['(', /is "\(", no regular expression RE2 understands: .*missing closing/],
    ['(?=a)', /no regular expression RE2 understands/],
    ['(a)\\1', /no regular expression RE2 understands/],
    ['a{1001}', /no regular expression RE2 understands/],
    ['x'.repeat(limits.patternLengthMax + 1), /has 513 characters; allowed are 512/],
  ])('that are none are refused in words: %s', (text, words) => {
    expect(() => compilePattern(text)).toThrow(words);
    expect(patternSchema.safeParse(text).success).toBe(false);
  });
});
