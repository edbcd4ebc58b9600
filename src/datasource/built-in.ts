/** Profiles that come with the plugin: data, checked by the schema of users' own. */
import { type Profile, profileSchema } from '../contract/device.ts';

export interface BuiltIn {
  profiles: readonly Profile[];
  /** SVG by profile id. */
  images: ReadonlyMap<string, string>;
}

/**
 * From the files of `profiles/`: `<id>.json`, and `<id>.svg` where there is a picture. Throws if one of them is not in order, which is a mistake of
 * ours and found by a test.
 */
export function readBuiltIn(files: ReadonlyMap<string, string>): BuiltIn {
  const profiles: Profile[] = [];
  const images = new Map<string, string>();
  for (const [name, text] of files) {
    const id = name.replace(/\.(json|svg)$/, '');
    if (name.endsWith('.svg')) images.set(id, text);
    if (!name.endsWith('.json')) continue;
    const profile = profileSchema.parse(JSON.parse(text));
    if (profile.id !== id) throw new Error(`profiles/${name} has the id ${profile.id}`);
    profiles.push(profile);
  }
  return { profiles: profiles.sort((one, other) => (one.id < other.id ? -1 : 1)), images };
}

export const nothingBuiltIn: BuiltIn = { profiles: [], images: new Map() };
