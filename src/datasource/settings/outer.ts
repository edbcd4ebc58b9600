import { type Settings, settingsSchema } from '../../contract/settings.ts';
import type { Faults } from './faults.ts';
import { listOf, show } from './phrases.ts';
import { check, tailOf } from './words.ts';

/**
 * What holds while a part of the outer shape is wrong: the choice that does no harm. A mistyped role must not let more people send commands, and a
 * mistyped retention must not delete history.
 */
const cautious: Record<string, unknown> = { rights: { command: 'Admin' }, history: { retention: '3650d', commandsRetention: '3650d' } };

/** The outer shape, always complete: a field that is wrong is reported and replaced. The lists keep their elements unchecked. */
export function readOuter(document: Record<string, unknown>, faults: Faults): Settings {
  const first = check(settingsSchema, document);
  if (first.ok) return first.value;
  const kept = { ...document };
  for (const { path, message } of first.problems) {
    faults.add('', tailOf(path), message);
    const field = String(path[0]);
    delete kept[field];
    if (Object.hasOwn(cautious, field)) kept[field] = cautious[field];
  }
  return settingsSchema.parse(kept);
}

/** Settings under which nothing runs and nothing is lost: for a document that cannot be read at all. */
export function nothingRuns(): Settings {
  return settingsSchema.parse(cautious);
}

/** An id that stands twice: the first keeps it. Returns true if this one may be used. */
export function claimId(claimed: Map<string, string>, id: unknown, element: string, faults: Faults): boolean {
  if (typeof id !== 'string') return false;
  const first = claimed.get(id);
  if (first !== undefined) {
    faults.add(element, '.id', `is ${show(id)}, which ${first} has already; allowed is an id of its own`);
    return false;
  }
  claimed.set(id, element);
  return true;
}

/** `is "plcc"; known are "plc" and "broker"`. */
export function knownAre(names: readonly string[]): string {
  return names.length === 0 ? 'none is set up' : `known are ${listOf(names.map(show), 'and')}`;
}

/** A field of something that may be no object at all. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
