import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { limits } from '../contract/limits.ts';
import { createAuditWriter } from './audit.ts';
import type { Head } from './head.ts';
import type { Batch, RecordWrite } from './messages.ts';
import { Pack } from './pack.ts';
import { packsOf } from './pack-write.ts';
import { transaction } from './schema.ts';

/** Writes batches to the log, each in one transaction, all or nothing; answers with the records (by index) that a bound of ours refused. */
export function createCommitter(database: DatabaseSync, head: Head): (batch: Batch) => number[] {
  const insertSeries = database.prepare('INSERT OR IGNORE INTO series (id, gateway, device, point, kind) VALUES (?, ?, ?, ?, ?)');
  const insertPack = database.prepare('INSERT INTO log (seq, rows, crc, data) VALUES (?, ?, ?, ?)');
  const writeRecord = createRecordWriter(database);

  return (batch) => {
    const packs = packsOf(batch).map((data) => ({ data, pack: new Pack(data) }));
    let refused: number[] = [];
    transaction(database, () => {
      for (const { id, gateway, device, point, kind } of batch.series) insertSeries.run(id, gateway, device, point, kind);
      for (const [index, { data, pack }] of packs.entries()) insertPack.run(head.last + 1 + index, pack.length, crc32(data), data);
      refused = batch.records.flatMap((record, index) => (writeRecord(record) ? [] : [index]));
    });
    for (const { pack } of packs) head.add(head.last + 1, pack);
    return refused;
  };
}

function createRecordWriter(database: DatabaseSync): (record: RecordWrite) => boolean {
  const saveCommand = database.prepare(
    `INSERT INTO command (gateway, id, key, created, ended, json) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (gateway, id) DO UPDATE SET key = excluded.key, created = excluded.created, ended = excluded.ended, json = excluded.json`,
  );
  const audit = createAuditWriter(database);
  const saveConnectivity = database.prepare(
    'INSERT OR REPLACE INTO connectivity (gateway, device, time, state, reason) VALUES (?, ?, ?, ?, ?)',
  );
  const remember = database.prepare('INSERT OR REPLACE INTO remembered (gateway, scope, key, json) VALUES (?, ?, ?, ?)');
  const forget = database.prepare('DELETE FROM remembered WHERE gateway = ? AND scope = ? AND key = ?');
  const keys = database.prepare('SELECT count(*) AS count FROM remembered WHERE gateway = ? AND scope = ?');
  const has = database.prepare('SELECT 1 FROM remembered WHERE gateway = ? AND scope = ? AND key = ?');

  return (record) => {
    switch (record.type) {
      case 'command':
        saveCommand.run(record.gateway, record.id, record.key, record.createdMs, record.endedMs, record.json);
        audit.append(record.gateway, record.atMs, record.json);
        return true;
      case 'connectivity':
        saveConnectivity.run(record.gateway, record.change.device, record.change.timeNs, record.change.state, record.change.reason);
        return true;
      case 'remember': {
        const { gateway, scope, key, json } = record;
        if (json === null) {
          forget.run(gateway, scope, key);
          return true;
        }
        if (!has.get(gateway, scope, key) && Number(keys.get(gateway, scope)?.count) >= limits.rememberedKeysMax) return false;
        remember.run(gateway, scope, key, json);
        return true;
      }
    }
  };
}
