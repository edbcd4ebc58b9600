/** What one message of Home Assistant discovery announces: entities, each of a device. Pure. */
import { createHash } from 'node:crypto';
import { anyOtherWord } from '../../../src/contract/device.ts';
import { messageOf } from '../../../src/contract/fault.ts';
import { limits } from '../../../src/contract/limits.ts';
import { parseTemplateId } from '../../../src/contract/template-id.ts';
import { decodeJson } from '../payload/plain.ts';
import { pointsOf, withoutValues } from './entities.ts';
import { isPlain } from './linear.ts';
import { readMeaning, wordsAt } from './meaning.ts';
import type { RawPoint } from './points.ts';
import { inFull, isWords, numberOf, textOf, type Words } from './words.ts';

/** One word, or several that mean the same. */
type Said = string | string[];

/** An entity as far as it is of use. */
export interface Entity {
  component: string;
  /** Of the entity among those of its device, before clashes are settled. */
  id: string;
  title: string | undefined;
  device: { id: string; title: string | undefined; labels: Record<string, string> };
  points: RawPoint[];
  availability: { topic: string; path?: string; online: Said; offline: Said }[];
  mode: 'all' | 'any' | 'latest';
  /** Silent for this long its state counts no more. */
  expireAfterS?: number;
}

export interface Announcement {
  entities: Entity[];
  /** What is not understood, in words; the rest counts all the same. */
  faults: string[];
}

/** The parts of a topic below the prefix: `sensor/0x0017/temperature/config`; undefined for any other. */
export interface Announced {
  component: string;
  node: string | undefined;
  object: string;
}

export function readTopic(topic: string, prefix: string): Announced | undefined {
  if (!topic.startsWith(`${prefix}/`) || !topic.endsWith('/config')) return undefined;
  const [component = '', ...rest] = topic.slice(prefix.length + 1, -'/config'.length).split('/');
  if (rest.length < 1 || rest.length > 2 || component === '' || rest.includes('')) return undefined;
  return { component, node: rest.length === 2 ? rest[0] : undefined, object: rest.at(-1) ?? '' };
}

/** Reads a message that is not empty. Never throws. */
export function readAnnouncement({ component, node, object }: Announced, payload: Buffer): Announcement {
  const entities: Entity[] = [];
  const faults: string[] = [];
  const attempt = (name: string, read: () => Entity | undefined) => {
    try {
      const entity = read();
      if (entity) entities.push(entity);
    } catch (error) {
      faults.push(`${name} ${messageOf(error)}`);
    }
  };
  try {
    if (payload.length > limits.payloadBytesMax) throw new Error(`is larger than ${limits.payloadBytesMax} bytes`);
    const document = decodeJson(payload);
    if (!isWords(document)) throw new Error('is no JSON object');
    const words = inFull(document);
    if (component !== 'device') attempt(object, () => readEntity(component, node ?? object, object, words, faults));
    else {
      const { components, origin: _origin, o: _short, ...shared } = words;
      for (const [key, given] of Object.entries(isWords(components) ? components : {})) {
        if (!isWords(given)) continue;
        const own = inFull({ ...(shared['~'] === undefined ? {} : { '~': shared['~'] }), ...given });
        // With nothing but its platform it is taken back.
        if (Object.keys(given).length > 1)
          attempt(key, () => readEntity(textOf(own, 'platform') ?? '', node ?? object, key, { ...shared, ...own }, faults));
      }
    }
  } catch (error) {
    faults.push(messageOf(error));
  }
  return { entities, faults };
}

function readEntity(component: string, node: string, object: string, words: Words, faults: string[]): Entity | undefined {
  if (withoutValues.has(component)) return undefined;
  const given = isWords(words.device) ? words.device : {};
  const name = identifierOf(given) ?? node;
  const title = textOf(given, 'name');
  const area = textOf(given, 'suggested_area');
  const entityTitle = textOf(words, 'name');
  const points = pointsOf(component, words, (fault) => void faults.push(`${object}: ${fault}`));
  // No message says it, and a value that nobody said would be an invention in the history.
  if (component === 'binary_sensor' && (numberOf(words, 'off_delay') ?? 0) > 0)
    faults.push(`${object}: its "off_delay" is not applied: it stays as the device said it last; what counts is each time it becomes true`);
  return {
    component,
    id: entityId(object, [name, node, title ?? '']),
    title: entityTitle?.slice(0, 128),
    device: {
      id: deviceId(name),
      title: title?.slice(0, 128),
      labels: area === undefined ? {} : { area: area.slice(0, 256) },
    },
    points,
    ...expiryOf(numberOf(words, 'expire_after')),
    ...availabilityOf(words, (fault) => void faults.push(`${object}: its availability: ${fault}`)),
  };
}

const expiryOf = (seconds: number | undefined) => (seconds === undefined || seconds < 1 ? {} : { expireAfterS: seconds });

/** The first of the names a device has; those of its network interfaces serve too. */
function identifierOf(device: Words): string | undefined {
  const { identifiers, connections } = device;
  const first: unknown = Array.isArray(identifiers) ? identifiers[0] : identifiers;
  if (typeof first === 'string' || typeof first === 'number') return String(first);
  const pair: unknown = Array.isArray(connections) ? connections[0] : undefined;
  return Array.isArray(pair) && pair.length === 2 ? `${String(pair[0])}_${String(pair[1])}` : undefined;
}

const plainId = parseTemplateId('{name}');

/** Characters that an id cannot hold are spelt reversibly; a name that is too long is told by its hash. */
function deviceId(name: string): string {
  try {
    return plainId.fill({ name });
  } catch {
    return `${name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 48)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
  }
}

/** Small devices repeat their own name in front: `ABCDEF_ENERGY_Power`. */
function entityId(object: string, names: readonly string[]): string {
  const plain = object.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  const repeated = names
    .map((name) => `${name.replaceAll(/[^A-Za-z0-9_-]/g, '_')}_`.toLowerCase())
    .find((name) => name.length > 1 && plain.toLowerCase().startsWith(name) && plain.length > name.length);
  return (repeated === undefined ? plain : plain.slice(repeated.length)).slice(0, 64);
}

/** A topic that is not understood is told and left out: the values are worth having all the same. */
function availabilityOf(words: Words, tell: (fault: string) => void): Pick<Entity, 'availability' | 'mode'> {
  const single = textOf(words, 'availability_topic');
  const list = Array.isArray(words.availability) ? words.availability.filter(isWords) : [];
  const given = single === undefined ? list : [{ topic: single, value_template: words.availability_template }, ...list];
  const mode = words.availability_mode;
  const availability = given.slice(0, limits.availabilityTopicsMax).flatMap((one) => {
    const topic = textOf(one, 'topic');
    if (topic === undefined) return [];
    const template = textOf(one, 'value_template');
    const online = textOf(one, 'payload_available') ?? textOf(words, 'payload_available') ?? 'online';
    const offline = textOf(one, 'payload_not_available') ?? textOf(words, 'payload_not_available') ?? 'offline';
    try {
      return [{ topic, ...(template === undefined ? { online, offline } : placeOf(template, online, offline)) }];
    } catch (error) {
      tell(messageOf(error));
      return [];
    }
  });
  return { availability, mode: mode === 'all' || mode === 'any' ? mode : 'latest' };
}

/** What the template makes of a message, as a place and the words there. */
function placeOf(template: string, online: string, offline: string): Pick<Entity['availability'][number], 'path' | 'online' | 'offline'> {
  const meaning = readMeaning(template);
  const words = wordsAt(meaning, online, offline);
  if (!isPlain(meaning.place) || 'trueWhen' in words) throw new Error(`calculates with a word: ${JSON.stringify(template)}`);
  const said = (side: (typeof words)['on']): Said => {
    const [first = anyOtherWord, ...others] = (side ?? []).map(String);
    return others.length > 0 ? [first, ...others] : first;
  };
  return { ...(meaning.place.path === undefined ? {} : { path: meaning.place.path }), online: said(words.on), offline: said(words.off) };
}
