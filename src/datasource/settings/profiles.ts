import { type Profile, profileSchema } from '../../contract/device.ts';
import type { Faults } from './faults.ts';
import { claimId, fieldOf } from './outer.ts';
import type { RawPoint } from './points.ts';

export interface ReadProfile {
  element: string;
  /** The driver it is for; undefined: whichever understands its addresses. */
  kind: string | undefined;
  points: readonly unknown[];
  commands: readonly unknown[];
}

/**
 * By id: those of the settings, and the built-in ones whose ids they leave free. What is in `points` and `commands` is checked where a device uses
 * it, because only then the protocol is known.
 */
export function readProfiles(list: readonly unknown[], builtIn: readonly Profile[], faults: Faults): Map<string, ReadProfile> {
  const claimed = new Map<string, string>();
  const found = new Map<string, ReadProfile>(builtIn.map((profile) => [profile.id, readProfile(profile, `profile ${profile.id}`)]));
  list.forEach((raw, index) => {
    const element = `profiles[${index}]`;
    const profile = faults.check(profileSchema, raw, element);
    if (!claimId(claimed, fieldOf(raw, 'id'), element, faults) || !profile) return;
    found.set(profile.id, readProfile(profile, element));
  });
  return found;
}

function readProfile({ kind, points, commands }: Profile, element: string): ReadProfile {
  return { element, kind, points, commands };
}

/**
 * The points (or commands) of a device: those of its profile, then its own. An own one with the id of a profile's replaces the fields it has,
 * so that a device can say what is different about it.
 */
export function merge(
  profile: ReadProfile | undefined,
  device: unknown,
  deviceElement: string,
  list: 'points' | 'commands',
  faults: Faults,
): RawPoint[] {
  const given = fieldOf(device, list);
  const own = Array.isArray(given) ? given : [];
  const claimed = new Map<string, string>();
  const merged = new Map<string, RawPoint>();
  const rest: RawPoint[] = [];

  const keep = (raw: unknown, element: string) => {
    const id = fieldOf(raw, 'id');
    const point: RawPoint = { raw, elementOf: () => element, elements: [element] };
    const claim = typeof id === 'string' && claimId(claimed, id, element, faults);
    if (claim) merged.set(id, point);
    else rest.push(point);
  };
  profile?.[list].forEach((raw, index) => {
    keep(raw, `${profile.element}.${list}[${index}]`);
  });
  const ofProfile = new Map(merged);
  claimed.clear();
  own.forEach((raw, index) => {
    const element = `${deviceElement}.${list}[${index}]`;
    const id = fieldOf(raw, 'id');
    const base = typeof id === 'string' ? ofProfile.get(id) : undefined;
    keep(raw, element);
    if (typeof id === 'string' && base && merged.get(id)?.elements[0] === element) merged.set(id, overlay(base, raw, element));
  });
  return [...merged.values(), ...rest];
}

function overlay(base: RawPoint, raw: unknown, element: string): RawPoint {
  const fields = raw as Record<string, unknown>;
  return {
    raw: { ...(base.raw as Record<string, unknown>), ...fields },
    elementOf: (field) => (field === undefined || Object.hasOwn(fields, field) ? element : base.elementOf(field)),
    elements: [element, ...base.elements],
  };
}
