import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/contract/pattern.ts';
import { compileNative } from '../../src/contract/pattern-native.ts';

/** Few letters, so that texts often fit, and those that engines treat in their own way: line ends, pairs, other spaces, case that folds. */
const letters = ['a', 'b', '1', '2', ';', '=', '.', '-', ' ', '\n', '\r', '\u2028', 'é', '😀', '\u000b', '\u00a0', 'K', '\u212a'];
const single = fc.constantFrom(
  ...['a', 'b', '1', ';', '=', '-', 'é', '😀', '.', '\\.', '\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\n', '\\x41', '\\-', '\\u', '\\b'],
  ...['[ab]', '[^;]', '[-0-9.]', '[^\\d]', '[a-b1]', '[\\w=]', '[^a\\s]', '[é😀]', '[[:digit:]]', '[]a]', '[a-]', '[+--]', '[^\\n]'],
);
const times = fc.constantFrom('', '', '', '*', '+', '?', '+?', '*?', '??', '{2}', '{1,2}', '{0,3}', '{1,}', '{0}', '**', '{2}{3}');
const atom = fc.tuple(single, times).map(([one, many]) => one + many);
const groups = fc.letrec<{ part: string; group: string; row: string }>((tie) => ({
  row: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  group: fc
    .tuple(fc.constantFrom('(', '(?:', '(?<NAME>', '(?P<NAME>', '(?i:'), fc.array(tie('row'), { minLength: 1, maxLength: 3 }), times)
    .map(([opening, ways, many]) => `${opening}${ways.join('|')})${many}`),
  part: fc.oneof({ depthSize: 'small', withCrossShrink: true }, { arbitrary: atom, weight: 4 }, { arbitrary: tie('group'), weight: 1 }),
}));
const expressions = fc.tuple(fc.constantFrom('^', '^', ''), groups.row, fc.constantFrom('$', '')).map(([begin, row, end]) => {
  let named = 0;
  return `${begin}${row}${end}`.replaceAll('NAME', () => `g${named++}`);
});
const texts = fc.array(fc.constantFrom(...letters), { maxLength: 12 }).map((some) => some.join(''));

/** What RE2 itself finds. */
function findByRe2(expression: string, text: string): Record<string, string | undefined> | undefined {
  const compiled = RE2JS.compile(expression);
  const matcher = compiled.matcher(text);
  if (!matcher.find()) return undefined;
  return Object.fromEntries(Object.keys(compiled.namedGroups()).map((name) => [name, matcher.group(name) ?? undefined]));
}

function isExpression(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

describe("expressions that the engine's own matcher runs", () => {
  it('find what RE2 finds, whatever the text', () => {
    let native = 0;
    fc.assert(
      fc.property(expressions, fc.array(texts, { minLength: 5, maxLength: 5 }), (expression, candidates) => {
        if (!isExpression(expression) || !compileNative(expression)) return;
        native += 1;
        const pattern = compilePattern(expression);
        for (const candidate of candidates) {
          const expected = findByRe2(expression, candidate);
          expect([expression, candidate, pattern.find(candidate)]).toEqual([expression, candidate, expected]);
          expect(pattern.test(candidate)).toBe(expected !== undefined);
          const taken = pattern.take(candidate);
          expect(taken && Object.fromEntries(Array.from(pattern.numbers, ([name, number]) => [name, taken[number]]))).toEqual(expected);
        }
      }),
      { numRuns: 4_000 },
    );
    // Otherwise this would have looked at nothing.
    expect(native).toBeGreaterThan(300);
  });

  it('give groups by the same numbers as RE2, whichever of them runs', () => {
    for (const expression of ['^(a)(?<x>b+)(?<y>c)?$', '(?:a|ab)(b)?(?<x>.*)z(?<y>q)?']) {
      const { numbers, groups, take } = compilePattern(expression);
      expect([...numbers]).toEqual([
        ['x', 2],
        ['y', 3],
      ]);
      expect(groups).toEqual(['x', 'y']);
      expect(take('abbz') ?? take('abb')).toMatchObject({ 2: expect.stringMatching(/^b+$/), 3: undefined });
    }
  });

  it('end soon on long texts made to mislead them', () => {
    fc.assert(
      fc.property(expressions, texts, texts, (expression, unit, end) => {
        if (!isExpression(expression)) return;
        // A matcher that tries anew from every place would take minutes here, one that tries every way for ever.
        compileNative(expression)?.expression.test((unit || 'a').repeat(20_000) + end);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    '^T=(?<air>[-0-9.]+);S=\\d+$',
    '^T=(?<air>[-0-9.]+)(?:;S=(?<soil>\\d+))?$',
    'T=(?<air>[-0-9.]+)',
    '^\\$GPGGA,[^,]*,(?<lat>[^,]*),(?<side>[NS]?),',
    '^(?<state>ON|\\d+)$',
    '^OK$',
    '^ *(?<value>[+-]?\\d+(?:\\.\\d+)?) *kg$',
  ])('are those of devices: %s', (expression) => {
    expect(compileNative(expression)).toBeDefined();
  });

  it.each([
    ['(a+)+$', 'a group is repeated'],
    ['^(a+)+$', 'a group is repeated'],
    ['^a*a*b', 'two repetitions take the same'],
    ['^\\d+\\w', 'what follows a repetition may be one more of it'],
    ['^.*=(?<v>\\d+)', 'anything goes up to something'],
    ['\\d+;', 'tried from every digit'],
    ['a\\w+;', 'begins anew within its own repetition'],
    ['^(?:a|ab)c', 'alternatives begin alike'],
    ['^(?:a?)?a', 'an optional group that may be empty'],
    ['^\\p{L}+$', 'a class that is not plain'],
    ['(?i)^k$', 'flags'],
    ['^a\\b', 'a place without a character'],
    ['^x{201}$', 'too many parts'],
  ])('are not those where a choice stays open: %s (%s)', (expression) => {
    expect(isExpression(expression)).toBe(true);
    expect(compileNative(expression)).toBeUndefined();
  });
});
