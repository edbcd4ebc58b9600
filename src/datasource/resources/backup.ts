import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import type { Backup, Store } from '../../store/store.ts';
import type { Handler } from './ask.ts';

/**
 * `POST backup`, the body `{}`: a copy of the whole history in the folder `backups` of the data folder, `{ name, bytes, made, sha256 }`; nothing of the
 * request becomes a path. `GET backups`: those there are.
 */
export function backupHandlers({ store, log }: { store: Store; log: Log }): { make: Handler; list: Handler } {
  return {
    async make({ user }) {
      const made = await store.backup();
      log.info('a backup was made', { name: made.name, bytes: made.bytes, user: user.login });
      return { body: answerOf(made) };
    },
    list: async () => ({ body: { backups: (await store.backups()).map(answerOf), kept: limits.backupsMax } }),
  };
}

function answerOf({ name, bytes, madeMs, sha256 }: Backup) {
  return { name, bytes, made: madeMs, ...(sha256 === undefined ? {} : { sha256 }) };
}
