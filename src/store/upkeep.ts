import type { Clock } from '../contract/clock.ts';
import { Fault } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { BelievedClock } from './belief.ts';
import type { Engine } from './engine.ts';
import type { Journal } from './journal.ts';
import type { Backup } from './store.ts';

/** Where the store remembers what is its own: no gateway has this name. */
const ownScope = '';

/** What keeps a history in good order over years: the clock it is deleted by, and its copies. */
export class Upkeep {
  readonly #engine: Engine;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #hasFolder: boolean;
  readonly #believed: BelievedClock;
  #recalled = false;
  #backingUp = false;

  constructor(engine: Engine, journal: Journal, { clock, folder }: { clock: Clock; folder: string | undefined }) {
    this.#engine = engine;
    this.#journal = journal;
    this.#clock = clock;
    this.#hasFolder = folder !== undefined;
    this.#believed = new BelievedClock(clock);
  }

  /** In words, while the clock is not believed. */
  get doubt(): string | undefined {
    const aheadMs = this.#believed.doubtedMs;
    if (aheadMs === undefined) return undefined;
    const days = Math.round(aheadMs / 86_400_000);
    return `the clock is ${days} day${days === 1 ? '' : 's'} ahead of what it showed before; no history is deleted by its age until it has gone on like that for a day`;
  }

  async believedNowNs(): Promise<bigint> {
    if (!this.#recalled) {
      const known = (await this.#journal.recall(ownScope, 'clock')).get('believedMs');
      if (typeof known === 'number' && Number.isFinite(known)) this.#believed.recall(known);
      this.#recalled = true;
    }
    const nowMs = this.#believed.now();
    // What is not written down is learned anew after a restart, from a clock that is right more often than not.
    await this.#journal.remember(ownScope, 'clock', 'believedMs', nowMs).catch(() => {});
    return BigInt(Math.floor(nowMs)) * 1_000_000n;
  }

  async backup(): Promise<Backup> {
    this.#mustHaveFolder();
    if (this.#backingUp) throw backupFault('backup-running', 'a backup is being made already; ask again when it is done', 409);
    this.#backingUp = true;
    try {
      return await this.#engine.read('backup', { nowMs: this.#clock.nowMs(), keep: limits.backupsMax });
    } catch (error) {
      // The only bound a backup knows is the room on the disk.
      if (error instanceof Fault && error.type === 'too-many-rows') throw backupFault('backup-refused', error.message, 507);
      throw error;
    } finally {
      this.#backingUp = false;
    }
  }

  async backups(): Promise<Backup[]> {
    this.#mustHaveFolder();
    return await this.#engine.read('backups', null);
  }

  #mustHaveFolder(): void {
    if (!this.#hasFolder)
      throw backupFault('no-data-folder', 'history is in memory only: there is no data folder to keep a backup in', 409);
  }
}

function backupFault(type: string, message: string, status: number): Fault {
  return new Fault(message, { type, blame: 'gateway', status });
}
