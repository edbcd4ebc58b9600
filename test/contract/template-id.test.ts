import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idSchema } from '../../src/contract/device.ts';
import { fillPlaceholders, parsePlaceholders, placeholdersOf, spellLiteral } from '../../src/contract/placeholders.ts';
import { parseTemplateId } from '../../src/contract/template-id.ts';

describe('texts with placeholders', () => {
  it('have literal braces doubled, and a closing one alone is itself', () => {
    expect(parsePlaceholders('a/{b}/c')).toEqual([{ literal: 'a/' }, { name: 'b' }, { literal: '/c' }]);
    expect(parsePlaceholders('{{b}} {b}}} }')).toEqual([{ literal: '{b} ' }, { name: 'b' }, { literal: '} }' }]);
    expect(parsePlaceholders('')).toEqual([]);
  });

  it.each<[string, RegExp]>([
    ['a{b', /not closed/],
    ['{}', /no placeholder/],
    ['{a b}', /no placeholder/],
    ['{1st}', /no placeholder/],
    [`{${'x'.repeat(65)}}`, /no placeholder/],
  ])('%j is refused', (text, words) => expect(() => parsePlaceholders(text)).toThrow(words));

  it('any text stays itself when its braces are doubled', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(placeholdersOf(parsePlaceholders(spellLiteral(text)))).toEqual([]);
        expect(fillPlaceholders(parsePlaceholders(spellLiteral(text)), {})).toBe(text);
      }),
    );
  });
});

describe('ids of discovered devices', () => {
  it.each<[string, Record<string, string>, string]>([
    ['{building}-{room}', { building: 'north', room: 'kitchen' }, 'north-kitchen'],
    ['{building}-{room}', { building: 'north', room: 'living-room' }, 'north-living.2droom'],
    ['{building}-{room}', { building: 'nor-th', room: 'living_room' }, 'nor.2dth-living_room'],
    ['{building}_{room}', { building: 'north', room: 'living-room' }, 'north_living-room'],
    ['plug-{name}', { name: '0x00158d-kitchen_1' }, 'plug-0x00158d-kitchen_1'],
    ['{name}', { name: 'Küche 2.OG' }, 'K.c3.bcche.202.2eOG'],
    ['{name}', { name: '..' }, '.2e.2e'],
  ])('%s of %j is %s', (template, values, id) => {
    expect(parseTemplateId(template).fill(values)).toBe(id);
    expect(parseTemplateId(template).read(id)).toEqual(values);
  });

  it('the same id is never that of two, and can be read back, whatever the texts', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('-', '_', '.', '2', 'd', 'e', 'a', '{', '/'), minLength: 1, maxLength: 5 }),
    );
    const seen = new Map<string, string>();
    for (const template of ['{a}-{b}', '{a}_{b}', 'x.{a}-.{b}.y', '{a}_-{b}', '-{a}-{b}-']) {
      const { fill, read } = parseTemplateId(template);
      seen.clear();
      fc.assert(
        fc.property(text, text, (a, b) => {
          let id: string;
          try {
            id = fill({ a, b });
          } catch (error) {
            expect(String(error)).toMatch(/half a character|characters; allowed are 64/);
            return;
          }
          expect(idSchema.safeParse(id).success, id).toBe(true);
          expect(read(id)).toEqual({ a, b });
          const both = JSON.stringify([a, b]);
          expect(seen.get(id) ?? both).toBe(both);
          seen.set(id, both);
        }),
        { numRuns: 1_000 },
      );
    }
  });

  it.each(['north', 'north-', 'a-b-c', 'a-.61', 'a-.ZZ', 'a-.c3', '', 'a-b\n'])('%j is nobody of {a}-{b}', (id) => {
    expect(parseTemplateId('{a}-{b}').read(id)).toBeUndefined();
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ a: 'x' }, /has no \{b\}/],
    [{ a: '', b: 'x' }, /has no \{a\}/],
    [{ a: 'x'.repeat(32), b: 'y'.repeat(32) }, /id of 65 characters; allowed are 64/],
    [{ a: 'ü'.repeat(11), b: 'y' }, /id of 68 characters/],
    [{ a: '\ud800', b: 'y' }, /half a character/],
  ])('%j has no id', (values, words) => expect(() => parseTemplateId('{a}-{b}').fill(values)).toThrow(words));

  it.each<[string, RegExp]>([
    ['{a}{b}', /between two placeholders there must be a - or _/],
    ['{a}.{b}', /between two placeholders there must be a - or _/],
    ['{a}x{b}', /between two placeholders/],
    ['{a}-{a}', /has \{a\} twice/],
    ['{a}/{b}', /allowed beside \{placeholders\} are/],
    ['{{a}}', /no placeholder/],
    ['{a', /not closed/],
  ])('%s is refused', (template, words) => expect(() => parseTemplateId(template)).toThrow(words));
});
