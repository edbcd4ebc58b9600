/** Topics that look alike are one sort of device: they become a template with placeholders; the rest become devices as they are. */
import { spellLiteral } from '../../../src/contract/placeholders.ts';
import type { Guess } from './guess.ts';

export interface SeenTopic {
  topic: string;
  guess: Guess;
}

export interface Proposal {
  id: string;
  /** Topics it was made of, with their placeholders. */
  patterns: string[];
  /** How many topics there were. */
  topics: number;
  /** A device in the language of the settings. */
  device: Record<string, unknown>;
}

interface Group {
  /** `undefined` is a placeholder. */
  levels: (string | undefined)[];
  topics: string[];
  guess: Guess;
  /** What is in the messages: alike topics have the same. */
  signature: string;
}

const names = ['device', 'part', 'item', 'detail'];
/** Fewer topics are no family, unless their messages say much and the same. */
const familyMin = 3;

export function propose(seen: readonly SeenTopic[], connection: string): Proposal[] {
  let groups = seen
    .filter(({ guess }) => guess.places.length > 0)
    .map(({ topic, guess }): Group => ({ levels: topic.split('/'), topics: [topic], guess, signature: signatureOf(guess) }));
  for (let round = 0; round < names.length; round++) {
    const merged = merge(groups);
    if (merged.length === groups.length) break;
    groups = merged;
  }
  const devices = new Map<string, Group[]>();
  for (const group of groups) {
    const key = deviceOf(group);
    devices.set(key, [...(devices.get(key) ?? []), group]);
  }
  return uniqueIds([...devices.values()].map((members) => proposal(members, connection)));
}

function signatureOf({ format, unpack, places }: Guess): string {
  return JSON.stringify([format, unpack, places.map(({ path, type }) => [path, type])]);
}

/** Takes together the groups that differ in one level only, the largest families first. */
function merge(groups: readonly Group[]): Group[] {
  const families = new Map<string, { at: number; members: Group[] }>();
  for (const group of groups) {
    const isRich = group.guess.places.length > 1;
    for (const [at, level] of group.levels.entries()) {
      if (level === undefined || level === '' || level.startsWith('$')) continue;
      // Single values side by side are the points of one device; whole documents are devices.
      if (at === group.levels.length - 1 && !isRich) continue;
      const key = JSON.stringify([at, group.signature, group.levels.with(at, undefined)]);
      const family = families.get(key) ?? { at, members: [] };
      family.members.push(group);
      families.set(key, family);
    }
  }
  const left = new Set(groups);
  const merged: Group[] = [];
  for (const { at, members } of [...families.values()].toSorted((a, b) => b.members.length - a.members.length)) {
    const own = members.filter((member) => left.has(member));
    const [first] = own;
    if (!first || own.length < (first.guess.places.length > 1 ? 2 : familyMin)) continue;
    for (const member of own) left.delete(member);
    merged.push({ ...first, levels: first.levels.with(at, undefined), topics: own.flatMap(({ topics }) => topics) });
  }
  return [...merged, ...left];
}

/** Topics of one device share this: all up to the last placeholder, else all but the last level, else the topic. */
function deviceOf({ levels, guess }: Group): string {
  const last = levels.lastIndexOf(undefined);
  if (last >= 0) return JSON.stringify(['template', levels.slice(0, last + 1)]);
  return JSON.stringify(guess.places.length > 1 || levels.length === 1 ? ['topic', levels] : ['parent', levels.slice(0, -1)]);
}

function proposal(members: Group[], connection: string): Proposal {
  const [first] = members;
  const levels = first?.levels ?? [];
  const count = levels.filter((level) => level === undefined).length;
  const isParent = count === 0 && members.every(({ guess }) => guess.places.length === 1) && levels.length > 1;
  const id =
    count > 0
      ? names
          .slice(0, count)
          .map((name) => `{${name}}`)
          .join('-')
      : plain((isParent ? levels.slice(0, -1) : levels).join('-'), 'device');
  const taken = new Set<string>();
  const points = members.flatMap((member) => pointsOf(member, taken));
  const patterns = members.map(patternOf);
  return { id, patterns, topics: members.reduce((sum, { topics }) => sum + topics.length, 0), device: { id, connection, points } };
}

function patternOf({ levels }: Pick<Group, 'levels'>): string {
  let next = 0;
  return levels.map((level) => (level === undefined ? `{${names[next++] ?? 'x'}}` : spellLiteral(level))).join('/');
}

/** The points of one topic. */
export function pointsOf(group: Pick<Group, 'levels' | 'guess'>, taken: Set<string>): Record<string, unknown>[] {
  const { guess, levels } = group;
  const { format, unpack, csv, places, time } = guess;
  return places.map(({ path, name }) => {
    const last = levels.findLast((level) => level !== undefined) ?? 'value';
    const id = unique(plain(places.length === 1 ? last : name, 'value'), taken);
    return {
      id,
      address: {
        topic: patternOf(group),
        ...(path === undefined || path === '$' ? {} : { path }),
        ...(format === 'json' && path !== '$' ? {} : format === 'number' ? {} : { format }),
        ...(unpack.length === 0 ? {} : { unpack }),
        ...(csv === undefined ? {} : { csv }),
        ...(time === undefined || format === 'influx' ? {} : { time }),
        // A message need not have all places each time.
        ...(places.length > 1 ? { optional: true } : {}),
      },
    };
  });
}

/** What an id may hold: letters, digits, _ and -. */
function plain(text: string, otherwise: string): string {
  return (
    text
      .replaceAll(/[^A-Za-z0-9_-]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 60) || otherwise
  );
}

function unique(id: string, taken: Set<string>): string {
  let own = id;
  for (let n = 2; taken.has(own); n++) own = `${id}_${n}`;
  taken.add(own);
  return own;
}

/** Two templates may well have the same placeholders, two topics the same plain name: what is proposed can be saved together. */
function uniqueIds(proposals: Proposal[]): Proposal[] {
  const taken = new Set<string>();
  return proposals.map((each) => {
    const id = unique(each.id, taken);
    return { ...each, id, device: { ...each.device, id } };
  });
}
