import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSelector } from '../../src/contract/query.ts';

describe('a selector', () => {
  it.each([
    ['boiler', ['boiler'], ['boiler2', 'a boiler', '']],
    ['*', ['', 'boiler', 'a\nb'], []],
    ['room-*', ['room-', 'room-12'], ['room', 'a room-1']],
    ['*-temp', ['-temp', 'flow-temp'], ['flow-temp2']],
    ['a*b*c', ['abc', 'a-b-b-c'], ['acb', 'ab', 'ac']],
    ['ab*ba', ['abba', 'ab-ba'], ['aba', 'ab']],
    ['a.*', ['a.', 'a.b'], ['ab']],
    ['/^t[0-9]+$/', ['t1'], ['t', 'at1']],
  ])('%s selects', (selector, meant, others) => {
    const matches = compileSelector(selector);
    expect(meant.filter((name) => !matches(name))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it('with asterisks selects what the same expression would', () => {
    const text = (...letters: string[]) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });
    fc.assert(
      fc.property(
        text('a', 'b', '*').filter((glob) => glob.includes('*')),
        text('a', 'b'),
        (glob, name) => {
          expect(compileSelector(glob)(name)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(name));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
