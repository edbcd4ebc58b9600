import { roleAtLeast } from '../../contract/caller.ts';
import { type Profile, profileSchema } from '../../contract/device.ts';
import { notFound } from '../../contract/fault.ts';
import type { BuiltIn } from '../built-in.ts';
import type { Instance } from '../instance.ts';
import { check } from '../settings/words.ts';
import type { Handler } from './ask.ts';

/**
 * `GET profiles`: `{ profiles: [{ id, title, builtIn, kind, manufacturer, models, notes, image, points, commands }] }`; a profile of the settings
 * stands for the built-in one of its id. Addresses are for Editors. `GET profiles/{profile}/image`: an SVG of a built-in one.
 */
export function profileHandlers(builtIn: BuiltIn): { list: Handler; image: Handler } {
  return {
    list({ instance, user }) {
      const insider = roleAtLeast(user.role, 'Editor');
      return { body: { profiles: profilesOf(instance, builtIn).map((one) => profileAnswer(one, builtIn, insider)) } };
    },
    image({ params: { profile = '' } }) {
      const text = builtIn.images.get(profile);
      if (text === undefined) throw notFound(`there is no picture of a profile ${JSON.stringify(profile)}`, 'profile');
      return {
        type: 'image/svg+xml',
        text,
        // An SVG that is opened by itself is a document: it may draw and nothing else. It changes with the version of the plugin only.
        headers: {
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
          'cache-control': 'private, max-age=86400',
        },
      };
    },
  };
}

export interface KnownProfile extends Profile {
  builtIn: boolean;
}

/** By id; those of the settings as far as they can be read, and the built-in ones whose id they leave free. */
export function profilesOf(instance: Instance, builtIn: BuiltIn): KnownProfile[] {
  const found = new Map<string, KnownProfile>(builtIn.profiles.map((profile) => [profile.id, { ...profile, builtIn: true }]));
  for (const raw of instance.gateway.plan.settings.profiles) {
    const read = check(profileSchema, raw);
    if (read.ok && found.get(read.value.id)?.builtIn !== false) found.set(read.value.id, { ...read.value, builtIn: false });
  }
  return [...found.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

function profileAnswer(profile: KnownProfile, { images }: BuiltIn, insider: boolean) {
  const { id, title = id, builtIn, kind, manufacturer, models, notes } = profile;
  return {
    id,
    title,
    builtIn,
    kind,
    manufacturer,
    models,
    ...(insider || builtIn ? { notes } : {}),
    ...(images.has(id) ? { image: `profiles/${id}/image` } : {}),
    points: profile.points.map((point) => elementAnswer(point, ['id', 'title', 'access', 'unit'], insider ? ['address', 'interval'] : [])),
    commands: profile.commands.map((command) => elementAnswer(command, ['id', 'title', 'confirm'], [])),
  };
}

/** What is shown of an element that nobody has checked: that happens where a device uses it. So what everybody reads is only words. */
function elementAnswer(raw: unknown, words: readonly string[], anything: readonly string[]): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null) return {};
  const shown = ([name, value]: [string, unknown]) => anything.includes(name) || (words.includes(name) && typeof value !== 'object');
  return Object.fromEntries(Object.entries(raw).filter(shown));
}
