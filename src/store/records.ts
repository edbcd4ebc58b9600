import type { DatabaseSync } from 'node:sqlite';
import type { ConnectivityChange } from '../contract/status.ts';
import { createAuditReader, createAuditWriter } from './audit.ts';
import type { Calls } from './messages.ts';
import { targetOf, transaction } from './schema.ts';

/** Reads what is not samples: commands, connectivity, remembered maps. */
export function createRecords(database: DatabaseSync) {
  const byId = database.prepare('SELECT json FROM command WHERE gateway = ? AND id = ?');
  const byKey = database.prepare('SELECT json FROM command WHERE gateway = ? AND key = ? ORDER BY seq DESC LIMIT 1');
  const between = 'SELECT json FROM command WHERE gateway = ? AND created >= ? AND created < ?';
  const all = database.prepare(`${between} ORDER BY created DESC, seq DESC LIMIT ? OFFSET ?`);
  const open = database.prepare(`${between} AND ended IS NULL ORDER BY created DESC, seq DESC LIMIT ? OFFSET ?`);
  const ofTarget = database.prepare(
    `${between} AND ${targetOf('device')} = ? AND ${targetOf('point')} = ? ORDER BY created DESC, seq DESC LIMIT ? OFFSET ?`,
  );
  const recall = database.prepare('SELECT key, json FROM remembered WHERE gateway = ? AND scope = ? ORDER BY key');
  const columns = 'SELECT device, time, state, reason FROM connectivity WHERE gateway = ? AND device = ?';
  const before = database.prepare(`${columns} AND time < ? ORDER BY time DESC LIMIT 1`);
  const during = database.prepare(`${columns} AND time >= ? AND time < ? ORDER BY time`);
  const old = database.prepare('DELETE FROM command WHERE gateway = ? AND ended IS NOT NULL AND created < ?');
  const auditWriter = createAuditWriter(database);
  before.setReadBigInts(true);
  during.setReadBigInts(true);

  return {
    audit: createAuditReader(database),

    expireCommands({ gateway, beforeMs, nowMs }: Calls['expireCommands']['ask']): number {
      let deleted = 0;
      transaction(database, () => {
        deleted = Number(old.run(gateway, beforeMs).changes);
        auditWriter.expire(gateway, beforeMs, nowMs);
      });
      return deleted;
    },

    command({ gateway, by, text }: Calls['command']['ask']): string | null {
      const row = by === 'id' ? byId.get(gateway, text) : byKey.get(gateway, text);
      return row ? String(row.json) : null;
    },

    commands(ask: Calls['commands']['ask']): string[] {
      const { gateway, fromMs = Number.MIN_SAFE_INTEGER, toMs = Number.MAX_SAFE_INTEGER, target } = ask;
      const page = [Math.max(0, Math.trunc(ask.limit)), Math.max(0, Math.trunc(ask.skip))];
      const rows = target
        ? ofTarget.all(gateway, fromMs, toMs, target.device, target.point, ...page)
        : (ask.open ? open : all).all(gateway, fromMs, toMs, ...page);
      return rows.map((row) => String(row.json));
    },

    recall({ gateway, scope }: Calls['recall']['ask']): [string, string][] {
      return recall.all(gateway, scope).map((row) => [String(row.key), String(row.json)]);
    },

    *connectivity(ask: Calls['connectivity']['ask']): Generator<void, ConnectivityChange[]> {
      const changes: ConnectivityChange[] = [];
      for (const device of ask.devices) {
        const earlier = before.get(ask.gateway, device, ask.fromNs);
        for (const row of [...(earlier ? [earlier] : []), ...during.all(ask.gateway, device, ask.fromNs, ask.toNs)]) {
          changes.push({ device, timeNs: row.time as bigint, state: row.state as ConnectivityChange['state'], reason: String(row.reason) });
        }
        yield;
      }
      return changes;
    },
  };
}
