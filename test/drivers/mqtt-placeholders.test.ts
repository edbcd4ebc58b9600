/** Topics with placeholders, free of any broker. */
import { describe, expect, it } from 'vitest';
import { FilterTree } from '../../drivers/mqtt/filters.ts';
import { compilePattern, fillTopic, parseFilter, parseTopic } from '../../drivers/mqtt/topic.ts';
import { buildLine } from './line.ts';
import { driver } from './mqtt-session.ts';

const pattern = (text: string) => compilePattern(parseFilter(text));
const match = (text: string, topic: string) => pattern(text).match(topic.split('/'));

describe('patterns', () => {
  it.each([
    ['home/{building}/{room}/climate', 'home/+/+/climate'],
    ['{site}/x', '+/x'],
    ['tele/tasmota_{id}/SENSOR', 'tele/+/SENSOR'],
    ['a//{x}/', 'a//+/'],
    ['a/{{x}}/{x}', 'a/{x}/+'],
  ])('%s is asked for as %s', (text, filter) => expect(pattern(text).filter).toBe(filter));

  it.each<[string, string, Record<string, string> | undefined]>([
    ['home/{building}/{room}/climate', 'home/north/kitchen/climate', { building: 'north', room: 'kitchen' }],
    ['home/{building}/{room}/climate', 'home/north//climate', undefined],
    ['home/{building}/{room}/climate', 'home/north/kitchen/climate/x', undefined],
    ['tele/tasmota_{id}/SENSOR', 'tele/tasmota_12/SENSOR', { id: '12' }],
    ['tele/tasmota_{id}/SENSOR', 'tele/tasmota_/SENSOR', undefined],
    ['tele/tasmota_{id}/SENSOR', 'tele/other/SENSOR', undefined],
    ['a{x}a', 'aa', undefined],
    ['a{x}a', 'aaa', { x: 'a' }],
    ['{room}/state/{room}', 'a/state/a', { room: 'a' }],
    ['{room}/state/{room}', 'a/state/b', undefined],
    ['{{room}}/{room}', '{room}/{room}', { room: '{room}' }],
    ['{constructor}/{toString}', 'a/b', { constructor: 'a', toString: 'b' }],
  ])('%s of %s is %j', (text, topic, values) => expect(match(text, topic)).toEqual(values));

  it('what a topic says makes the same topic again', () => {
    for (const room of ['kitchen', 'Küche 2.OG', '{room}', '}}{{', '{{', '}', '$x', '%2f', 'a{b', '\u{1f525}', '\'"\\']) {
      for (const text of ['home/{room}/climate', '{room}', 'x}{room}}}{{y/{room}']) {
        const topic = parseTopic(fillTopic(text, { room })).fixed ?? '';
        expect(match(text, topic), topic).toEqual({ room });
      }
    }
  });

  it.each(['', 'a/b', '+', 'a#', '\u0000', 'a\nb', '\ud800', 'x'.repeat(2_000)])('%j stands in no topic', (room) => {
    expect(() => fillTopic('home/{room}/set', { room })).toThrow(/\w+ \w+/);
  });

  it('two placeholders in a level are for what is sent only', () => {
    const point = (address: unknown) =>
      driver.address.safeParse(address).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    expect(point({ topic: 'home/{a}-{b}' })).toEqual([expect.stringMatching(/^topic has \{a\} and \{b\} in one level/)]);
    expect(point({ set: { topic: 'home/{a}-{b}' } })).toBeUndefined();
  });
});

describe('filters', () => {
  const tree = new FilterTree<string>();
  for (const filter of ['a/b/c', 'a/+/c', '+/b/c', 'a/b', '+/+', 'x/+/+']) tree.add(filter, filter);
  it.each<[string, string[]]>([
    ['a/b/c', ['+/b/c', 'a/+/c', 'a/b/c']],
    ['a/x/c', ['a/+/c']],
    ['a/b', ['+/+', 'a/b']],
    ['a', []],
    ['a/b/c/d', []],
    ['$SYS/b/c', []],
    ['x//', ['x/+/+']],
  ])('%s falls under %j', (topic, filters) => expect(new Set(tree.under(topic.split('/')))).toEqual(new Set(filters)));
  it.each<[string, string | undefined]>([
    ['a/b', '+/+'],
    ['a/x/c', 'a/+/c'],
    ['+/+', undefined],
    ['x/y/+', 'x/+/+'],
    ['+/b/c', undefined],
  ])('%s is covered by %s', (filter, cover) => expect(tree.cover(filter)).toBe(cover));
});

describe('devices that are discovered', () => {
  const faults = (devices: Parameters<typeof buildLine>[1]['devices']) => {
    try {
      buildLine(driver, { connection: { url: 'mqtt://x' }, devices });
      return [];
    } catch (error) {
      return (error as Error).message.split('; devices').map((text) => text.replace(/^(devices)?/, 'devices'));
    }
  };

  it('are fine with all placeholders of the id in what is heard', () => {
    const points = [
      { id: 'a', address: { topic: 'home/{room}/{floor}/t' } },
      { id: 'b', access: 'write', address: { set: { topic: 'all/{room}' } } },
      { id: 'c', access: 'write', address: { topic: 'unheard', set: { topic: 'all' } } },
    ];
    expect(faults([{ id: '{floor}-{room}', points }])).toEqual([]);
    expect(faults([{ id: '{room}', points: [], availability: { topic: 'home/{room}' } }])).toEqual([]);
    expect(
      faults([{ id: 'fixed', points: [{ id: 'a', address: { topic: 'a/{{b}}' } }], availability: { topic: 'a/status', path: '$.state' } }]),
    ).toEqual([]);
  });

  it('have each mistake told at its place', () => {
    const said = faults([
      {
        id: '{floor}-{room}',
        points: [
          { id: 'a', address: { topic: 'home/{room}/t' } },
          { id: 'b', address: { topic: 'home/{room}/{floor}/{site}' } },
          { id: 'c', access: 'write', address: { set: { topic: 'x/{site}' } } },
        ],
        availability: { topic: 'home/{floor}{room}', path: 'state' },
      },
      { id: 'fixed', points: [{ id: 'a', address: { topic: 'home/{room}/t' } }], availability: { topic: 'home/+' } },
      { id: '{room}', points: [{ id: 'a', access: 'write', address: { set: { topic: '{room}' } } }] },
    ]);
    for (const [index, words] of [
      /^devices\[0\]\.points\[0\]\.address\.topic: has no \{floor\}/,
      /^devices\[0\]\.points\[1\]\.address\.topic: has the placeholder \{site\}/,
      /^devices\[0\]\.points\[2\]\.address\.set\.topic: has the placeholder \{site\}/,
      /^devices\[0\]\.availability\.topic: has \{floor\} and \{room\} in one level/,
      /^devices\[0\]\.availability\.path: "state" does not start with \$/,
      /^devices\[1\]\.points\[0\]\.address\.topic: has the placeholder \{room\}/,
      /^devices\[1\]\.availability\.topic: .*wildcard/,
      /^devices\[2\]\.id: .*no topic tells/,
    ].entries()) {
      expect(said[index]).toMatch(words);
    }
    expect(said).toHaveLength(8);
  });
});
