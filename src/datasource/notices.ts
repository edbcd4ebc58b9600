/** What health says of the process around a data source: its section of grafana.ini, who is known, how secrets are kept. */
import { limits } from '../contract/limits.ts';
import type { Instance } from './instance.ts';
import type { Instances } from './instances.ts';
import type { KeySource } from './remembered/vault.ts';
import type { Section } from './section.ts';

export interface Finding {
  text: string;
  /** Makes health an error; else it is only mentioned. */
  fails: boolean;
}

/** The first of them by name, and whether there are more. */
export function namesOf<T>(found: readonly T[], name: (one: T) => string): string {
  const named = found.slice(0, limits.healthNamedMax).map(name).join(', ');
  return found.length > limits.healthNamedMax ? `${named}, …` : named;
}

export interface NoticeDeps {
  section: Section;
  instances: Instances;
  /** Where remembered secrets have their key; absent if nothing is remembered. */
  keySource?: KeySource;
}

/** Of the process alone. */
export function processNotices({ section, instances }: NoticeDeps): Finding[] {
  const { running, stopped } = instances.counts();
  const known =
    stopped > 0 ? `, ${stopped} ${stopped === 1 ? 'is' : 'are'} stopped because nobody names ${stopped === 1 ? 'it' : 'them'}` : '';
  const count = running + stopped > 0 ? [{ text: `${running} data source${running === 1 ? '' : 's'} running${known}`, fails: false }] : [];
  const lost = instances.all().filter((instance) => instances.lost(instance));
  return [
    ...sectionNotices(section),
    ...count,
    ...(lost.length > 0 ? [{ text: `remembered secrets of ${lost.length} of them could not be read at the start`, fails: false }] : []),
  ];
}

/** Of one data source, for those who may set it up. */
export function instanceNotices(instance: Instance, { section, instances, keySource }: NoticeDeps, hasSecrets: boolean): Finding[] {
  const lost = instances.lost(instance);
  return [
    ...sectionNotices(section),
    ...(lost
      ? [
          {
            text: `its remembered secrets could not be read at the start (${lost.why}); until Grafana named it, it ran without`,
            fails: false,
          },
        ]
      : []),
    ...(keySource === 'file' && hasSecrets
      ? [
          {
            text: 'remembered secrets are encrypted with a key file beside the data; state_key in the section of the plugin would keep the key elsewhere',
            fails: false,
          },
        ]
      : []),
  ];
}

function sectionNotices({ faults, active }: Section): Finding[] {
  return [
    ...faults.map((fault) => ({ text: `the section of the plugin in grafana.ini: ${fault}`, fails: true })),
    ...(active
      ? []
      : [
          {
            text: 'this replica is not active (active = false): it answers from its own history, opens no connection and sends no command',
            fails: false,
          },
        ]),
  ];
}
