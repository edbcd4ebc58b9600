/** What a device says of itself: a word on its availability topic, mostly kept by the broker and changed by it when the device is lost (last will). */
import { type AvailabilityConfig, anyOtherWord } from '../../src/contract/device.ts';
import type { Availability } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { compilePath, parsePath } from '../../src/contract/json-path.ts';
import { limits } from '../../src/contract/limits.ts';
import { decodeText } from './payload/plain.ts';
import type { Message } from './readings.ts';

/** Reads the words of one device. */
export interface Word {
  readonly device: string;
  /** Undefined for an empty message: the broker was told to keep no word any more. */
  read(message: Message): Availability | undefined;
}

/** One topic that says something of a device. */
export type WordPlace = Pick<AvailabilityConfig, 'path' | 'online' | 'offline'>;

/** The topics that say whether a device is there. */
export function placesOf(availability: AvailabilityConfig): (WordPlace & { topic: string })[] {
  const { topic, path, online, offline, also = [] } = availability;
  return [...(topic === undefined ? [] : [{ topic, online, offline, ...(path === undefined ? {} : { path }) }]), ...also];
}

/** What several topics said of a device, kept as long as the session: what is said of it together. */
export class SaidWords {
  readonly #said = new Map<string, Map<string, Availability>>();

  /** A word that counts together with those of the device's other topics. */
  join(word: Word, topic: string, availability: AvailabilityConfig): Word {
    const { also = [], mode = 'all' } = availability;
    if (also.length === 0 || mode === 'latest') return word;
    const topics = placesOf(availability).map((place) => place.topic);
    return {
      device: word.device,
      read: (message) => {
        const said = this.#said.get(word.device) ?? new Map<string, Availability>();
        this.#said.set(word.device, said);
        const now = word.read(message);
        if (now) said.set(topic, now);
        else said.delete(topic);
        return now && together(topics, said, mode, now);
      },
    };
  }
}

/** With `all` one no is enough, with `any` one yes; else nothing is said before all have spoken. */
function together(
  topics: readonly string[],
  said: ReadonlyMap<string, Availability>,
  mode: 'all' | 'any',
  now: Availability,
): Availability | undefined {
  const all = topics.flatMap((topic) => {
    const word = said.get(topic);
    return word ? [{ topic, word }] : [];
  });
  const decisive = all.find(({ word }) => (mode === 'all' ? word.state === 'offline' : word.state === 'online'));
  const unclear = all.find(({ word }) => word.state === 'unclear');
  const found = decisive ?? unclear;
  if (found) return { ...found.word, detail: `${found.topic} ${found.word.detail}`, retained: now.retained };
  return all.length === topics.length ? { ...now, state: mode === 'all' ? 'online' : 'offline' } : undefined;
}

export function compileWord(device: string, { path, online, offline }: WordPlace): Word {
  const lookup = path === undefined ? undefined : compilePath(parsePath(path));
  const sides = { online: [online].flat(), offline: [offline].flat() };
  const known = Object.values(sides)
    .map((words) => words.map((word) => JSON.stringify(word)).join(' or '))
    .join(' and ');
  return { device, read };

  function meaningOf(word: string): 'online' | 'offline' | undefined {
    const names = ['online', 'offline'] as const;
    return names.find((name) => sides[name].includes(word)) ?? names.find((name) => sides[name].includes(anyOtherWord));
  }

  function read(message: Message): Availability | undefined {
    const { payload, retained } = message;
    if (payload.length === 0) return undefined;
    try {
      if (payload.length > limits.payloadBytesMax) throw new Error(`is larger than ${limits.payloadBytesMax} bytes`);
      const found = lookup ? lookup(message.document()) : decodeText(payload);
      const word = typeof found === 'boolean' || typeof found === 'number' ? String(found) : found;
      const said = typeof word === 'string' ? JSON.stringify(word.slice(0, 80)) : 'nothing that is a word';
      const state = typeof word === 'string' ? meaningOf(word) : undefined;
      if (state) return { state, detail: `said ${said}`, retained };
      return {
        state: 'unclear',
        detail: `its availability topic says ${said}; known are ${known}`,
        retained,
      };
    } catch (error) {
      return { state: 'unclear', detail: `its availability topic: ${messageOf(error)}`, retained };
    }
  }
}
