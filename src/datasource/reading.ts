/** From the settings of an instance to its plan, with everything that takes part in it: drivers, built-in profiles, included files. */
import type { InstanceSettings } from '../contract/caller.ts';
import type { Profile } from '../contract/device.ts';
import type { Driver } from '../contract/driver.ts';
import type { Plan } from '../gateway/plan.ts';
import { readIncluded, stampIn, stampOf } from './included.ts';
import { readSettings } from './settings.ts';

export interface Reading {
  plan: Plan;
  /** Of the included files; compared with what `stamp` says later. */
  stamp: string;
}

export interface Reader {
  read(settings: Pick<InstanceSettings, 'jsonData' | 'secureJsonData'>): Promise<Reading>;
  stamp(settings: Pick<InstanceSettings, 'jsonData'>): Promise<string>;
}

export function createReader(deps: { drivers: readonly Driver[]; profiles: readonly Profile[]; configPath?: string }): Reader {
  const { drivers, profiles, configPath } = deps;
  return {
    async read(settings) {
      const included = await readIncluded(settings.jsonData, configPath);
      return { plan: readSettings(settings, drivers, profiles, included), stamp: stampIn(included) };
    },
    stamp: ({ jsonData }) => stampOf(jsonData, configPath),
  };
}
