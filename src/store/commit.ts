import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { limits } from '../contract/limits.ts';
import { type Batch, type RecordWrite, slot } from './messages.ts';

/** Writes batches, each in one transaction, all or nothing; answers with the records (by index) that a bound of ours refused. */
export function createCommitter(database: DatabaseSync): (batch: Batch) => number[] {
  const insertSeries = database.prepare('INSERT OR IGNORE INTO series (id, gateway, device, point, kind) VALUES (?, ?, ?, ?, ?)');
  // Of two samples at one time the one that arrived later stays: a device that corrects itself means the correction.
  const insertSample = database.prepare(
    `INSERT INTO sample (series, time, lag, value, quality, reason) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET lag = excluded.lag, value = excluded.value, quality = excluded.quality, reason = excluded.reason WHERE excluded.lag >= lag`,
  );
  const writeRecord = createRecordWriter(database);

  return (batch) => {
    // The same 64 bits, read as a double where a row's slot says so.
    const doubles = new Float64Array(batch.bits.buffer, batch.bits.byteOffset, batch.bits.length);
    const valueAt = (row: number): SQLInputValue => {
      switch (batch.slots[row]) {
        case slot.double:
          return doubles[row] ?? null;
        case slot.integer:
          return batch.bits[row] ?? null;
        case slot.text:
          return batch.texts[Number(batch.bits[row])] ?? null;
      }
      return null;
    };
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const { id, gateway, device, point, kind } of batch.series) insertSeries.run(id, gateway, device, point, kind);
      for (let row = 0; row < batch.ids.length; row++) {
        const time = batch.times[row] ?? 0n;
        const lag = BigInt.asIntN(64, (batch.arrivals[row] ?? 0n) - time);
        insertSample.run(
          batch.ids[row] ?? 0,
          time,
          lag,
          valueAt(row),
          batch.quality[row] ?? 0,
          batch.reasonNames[batch.reasons[row] ?? 0] || null,
        );
      }
      const refused = batch.records.flatMap((record, index) => (writeRecord(record) ? [] : [index]));
      database.exec('COMMIT');
      return refused;
    } catch (error) {
      // After a full disk or an input/output error SQLite may have rolled back by itself.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
}

function createRecordWriter(database: DatabaseSync): (record: RecordWrite) => boolean {
  const saveCommand = database.prepare(
    `INSERT INTO command (gateway, id, key, created, ended, json) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (gateway, id) DO UPDATE SET key = excluded.key, created = excluded.created, ended = excluded.ended, json = excluded.json`,
  );
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
