/** Home Assistant discovery: entities announce themselves, and those that name the same device are the device. */
import { limits } from '../../../src/contract/limits.ts';
import type { Convention } from '../announced/convention.ts';
import { uniqueIds } from '../announced/ids.ts';
import { type Entity, readAnnouncement, readTopic } from './announcement.ts';

/** Of entities with the same id the first of these keeps it, whichever was announced first. */
const ranks = ['sensor', 'binary_sensor', 'switch', 'light', 'number', 'select', 'climate', 'cover'];

export function homeassistant(prefix: string): Convention<Entity> {
  return {
    name: 'Home Assistant discovery',
    prefix,
    // With and without a node.
    filters: [`${prefix}/+/+/config`, `${prefix}/+/+/+/config`],
    reader(topic) {
      const announced = readTopic(topic, prefix);
      if (!announced) return undefined;
      return (payload) => {
        const { entities, faults } = readAnnouncement(announced, payload);
        return { parts: entities, faults };
      };
    },
    describe: (id, parts) => ({ device: describe(id, parts) }),
  };
}

/** A device in the language of the settings. */
function describe(id: string, list: readonly { topic: string; part: Entity }[]): Record<string, unknown> {
  const rankOf = ({ component }: Entity) => (ranks.indexOf(component) + ranks.length + 1) % (ranks.length + 1);
  const sorted = list
    .toSorted((one, other) => rankOf(one.part) - rankOf(other.part) || (one.topic < other.topic ? -1 : 1))
    .map(({ part }) => part);
  const idFor = uniqueIds(list.length);
  const points = sorted.flatMap((entity) =>
    entity.points.map(({ suffix, words }) => {
      const whole = suffix === '' ? entity.id : `${entity.id}_${suffix}`;
      const own = idFor(whole, entity.component);
      const title = [entity.title, suffix.replaceAll('_', ' ')].filter(Boolean).join(' ');
      const expiry = entity.expireAfterS === undefined || words.access === 'write' ? {} : { staleAfter: `${entity.expireAfterS}s` };
      return { id: own, ...(title === '' ? {} : { title: title.slice(0, 128) }), ...words, ...expiry };
    }),
  );
  const availability = availabilityOf(sorted);
  return {
    id,
    // Only some of the entities may say what the device is called; a device of one entity is called like that.
    title: sorted.find(({ device }) => device.title)?.device.title ?? (sorted.length === 1 ? sorted[0]?.title : undefined) ?? id,
    labels: Object.assign({}, ...sorted.map(({ device }) => device.labels)) as Record<string, string>,
    points,
    ...(availability ? { availability } : {}),
  };
}

/** Its entities mostly name the same topics; together they are those of the device. It is silent when all that have a time for it are. */
function availabilityOf(entities: readonly Entity[]): Record<string, unknown> | undefined {
  const places = new Map(entities.flatMap(({ availability }) => availability.map((place) => [place.topic, place] as const)));
  const [first, ...others] = [...places.values()].slice(0, limits.availabilityTopicsMax);
  const expiries = entities.flatMap(({ expireAfterS }) => expireAfterS ?? []);
  // One that says nothing of it may be silent for as long as it likes, and so may the device.
  const expires = expiries.length > 0 && expiries.length === entities.length;
  if (!first && !expires) return undefined;
  const mode = entities.find(({ availability }) => availability.length > 0)?.mode ?? 'latest';
  return {
    ...first,
    ...(others.length > 0 ? { also: others, mode } : {}),
    ...(expires ? { staleAfter: `${Math.max(...expiries)}s` } : {}),
  };
}
