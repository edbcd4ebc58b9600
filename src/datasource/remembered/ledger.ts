/** The settings last seen, kept in the history's own file so that collection resumes without a request (DESIGN §5, "Who lives when"). */
import * as z from 'zod';
import type { InstanceSettings } from '../../contract/caller.ts';
import { messageOf } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Store } from '../../store/store.ts';
import { parseJson } from '../settings/json.ts';
import { userinfo } from '../settings/phrases.ts';
import type { Vault } from './vault.ts';

/** Nothing secret is in it but `sealed`. When it was last named has an entry of its own, because that is written much more often. */
const recordSchema = z.object({
  orgId: z.number(),
  uid: z.string(),
  id: z.number(),
  name: z.string(),
  lastUpdatedMs: z.number(),
  jsonData: z.string(),
  secretNames: z.array(z.string()),
  sealed: z.string().optional(),
  retentionMs: z.number(),
  /** An Admin removed it; its history is kept until its retention is over. */
  removed: z.boolean().default(false),
});
type Record = z.output<typeof recordSchema>;

/** Secrets that were remembered and cannot be read any more, by name, and why. */
export interface Lost {
  names: string[];
  why: string;
}

export interface Remembered {
  key: string;
  orgId: number;
  settings: InstanceSettings;
  retentionMs: number;
  removed: boolean;
  /** Wall time when Grafana last named it. */
  namedAtMs: number;
  /** These are missing in `settings`. */
  lost?: Lost;
  /** Its secrets are sealed with the key file although there is a `state_key` now. */
  stale: boolean;
}

export interface Ledger {
  /** Everything remembered. Rejects while the store cannot be read. An entry that is not understood is left out. */
  load(): Promise<Remembered[]>;
  /** Resolves when it is on disk. Secrets that cannot be encrypted are left out of it; then it rejects, with everything else kept. */
  save(orgId: number, settings: InstanceSettings, retentionMs: number, removed?: boolean): Promise<void>;
  named(key: string, atMs: number): Promise<void>;
  forget(key: string): Promise<void>;
  /** To be called when nothing needs the key file any more; removes it if there is a `state_key`. True if there was one to remove. */
  dropKeyFile(): Promise<boolean>;
}

/** Of no gateway but of the process: one look at the start has them all. */
const gateway = '';
const scope = 'instances';
const namedScope = 'named';

export function createLedger({ store, vault }: { store: Store; vault: Vault }): Ledger {
  async function open(key: string, record: Record, namedAtMs: number): Promise<Remembered> {
    const { orgId, uid, id, name, lastUpdatedMs, jsonData, secretNames, sealed, retentionMs, removed } = record;
    const unsealed = sealed === undefined ? undefined : await vault.unseal(sealed, aboutOf(orgId, uid, id));
    const secrets = unsealed && 'text' in unsealed ? z.record(z.string(), z.string()).safeParse(parse(unsealed.text)) : undefined;
    const why = unsealed && 'why' in unsealed ? unsealed.why : 'they could not be encrypted';
    const found = secrets?.success ? secrets.data : {};
    return {
      key,
      orgId,
      settings: { id, uid, name, jsonData: Buffer.from(jsonData), secureJsonData: found, lastUpdatedMs },
      retentionMs,
      removed,
      namedAtMs,
      ...(secretNames.length > 0 && !secrets?.success ? { lost: { names: secretNames, why } } : {}),
      stale: unsealed !== undefined && 'source' in unsealed && unsealed.source !== vault.source,
    };
  }

  return {
    async load() {
      const [records, named] = await Promise.all([store.recall(gateway, scope), store.recall(gateway, namedScope)]);
      const found: Remembered[] = [];
      for (const [key, value] of records) {
        const record = recordSchema.safeParse(value);
        if (record.success) found.push(await open(key, record.data, Number(named.get(key)) || 0));
      }
      return found;
    },

    async save(orgId, settings, retentionMs, removed = false) {
      const { id, uid, name, lastUpdatedMs, secureJsonData } = settings;
      const secretNames = Object.keys(secureJsonData).filter((secret) => secureJsonData[secret]);
      const jsonData = textOf(settings.jsonData);
      const record: Record = { orgId, uid, id, name, lastUpdatedMs, jsonData, secretNames, retentionMs, removed };
      let refused: unknown;
      try {
        if (secretNames.length > 0) record.sealed = await vault.seal(JSON.stringify(secureJsonData), aboutOf(orgId, uid, id));
      } catch (error) {
        refused = error;
      }
      await store.remember(gateway, scope, `${orgId}/${uid}`, record);
      if (refused !== undefined) throw new Error(`the secrets are not remembered: ${messageOf(refused)}`);
    },

    named: (key, atMs) => store.remember(gateway, namedScope, key, atMs),

    async forget(key) {
      await Promise.all([store.remember(gateway, scope, key, undefined), store.remember(gateway, namedScope, key, undefined)]);
    },

    dropKeyFile: async () => vault.source === 'state' && (await vault.dropKeyFile()),
  };
}

/** Sealed secrets belong to one data source: under another numeric id, or moved to another entry, they do not open. */
function aboutOf(orgId: number, uid: string, id: number): string {
  return `${orgId}/${uid}/${id}`;
}

/**
 * Settings that cannot be understood start nothing, so nothing of them has to be remembered. A password in a URL is refused where settings are
 * checked; what stands in its place is refused as well.
 */
function textOf(jsonData: Uint8Array): string {
  const parsed = jsonData.length <= limits.settingsBytesMax ? parseJson(jsonData) : undefined;
  if (!parsed?.ok) return '';
  let changed = false;
  const withoutPasswords = (_name: string, value: unknown) => {
    if (typeof value !== 'string') return value;
    const without = value.replace(userinfo, '$1user:password@');
    changed ||= without !== value;
    return without;
  };
  try {
    const text = JSON.stringify(parsed.value, withoutPasswords);
    return changed ? text : Buffer.from(jsonData).toString('utf8');
  } catch {
    // Deeper than the call stack.
    return '';
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
