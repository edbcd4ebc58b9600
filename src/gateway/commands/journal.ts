/** The record of commands: written before anything is sent, then with every step (DESIGN §8). */
import type { Clock } from '../../contract/clock.ts';
import type { CommandRecord, CommandState } from '../../contract/command.ts';
import { Fault, messageOf } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import { seriesName, type Value } from '../../contract/sample.ts';
import type { Store } from '../../store/store.ts';
import { within } from '../guard.ts';
import type { News } from '../news.ts';

export interface JournalDeps {
  key: string;
  store: Store;
  clock: Clock;
  log: Log;
  news: News;
}

export class Journal {
  /** How many commands ended in each state. */
  readonly ends: Record<string, number> = {};
  /** Those of this run that did not end as they should, by point or action, until one does. */
  readonly failing = new Map<string, CommandRecord>();
  readonly #deps: JournalDeps;
  /** Ids of this run, until those of the last run are known. */
  #begun: Set<string> | undefined = new Set();

  constructor(deps: JournalDeps) {
    this.#deps = deps;
  }

  /**
   * Commands that a crash left open: what became of them nobody knows, and they are never sent again. Resolves with them. The store may take its
   * time to open; commands of this run need not wait for that. Never rejects.
   */
  async recover(): Promise<CommandRecord[]> {
    const { key, store, log } = this.#deps;
    let left: CommandRecord[] = [];
    try {
      const open = await store.commands(key, { limit: limits.commandsOpenMax, open: true });
      left = open.filter((record) => !this.#begun?.has(record.id));
      for (const record of left) await this.end(record, 'unknown', { detail: 'the gateway ended before the command did' });
      if (left.length > 0) log.warn('commands were left open by the last run; they are recorded as unknown', { commands: left.length });
    } catch (error) {
      log.warn('commands of the last run were not looked at', { error: messageOf(error) });
    }
    this.#begun = undefined;
    return left;
  }

  /** What the point of a command that a crash cut off reads now. */
  async addReading(record: CommandRecord, readBack: Value, detail: string): Promise<void> {
    record.readBack = readBack;
    record.detail = `${record.detail ?? ''}; ${detail}`;
    await this.#save(record);
  }

  /** An attempt that never became a command. Never rejects. */
  async refused(record: CommandRecord): Promise<void> {
    await this.#save(record);
  }

  /** No record, no command: rejects with a `Fault` when the store does not take it. */
  async begin(record: CommandRecord): Promise<void> {
    this.#begun?.add(record.id);
    const copy = structuredClone(record);
    this.#tell(copy);
    const saving = this.#deps.store.saveCommand(this.#deps.key, copy);
    try {
      await within(this.#deps.clock, limits.storeWaitMs, saving);
    } catch (error) {
      // It may still arrive: then it must not look as if it were under way.
      void saving.then(() => this.end(record, 'rejected', { detail: 'the record came too late; nothing was sent' })).catch(() => undefined);
      throw new Fault(`the command was not recorded, so it was not sent: ${messageOf(error)}`, {
        type: 'storage-failed',
        blame: 'gateway',
        status: 503,
        cause: error,
      });
    }
  }

  /** A step on the way; its save is not waited for. */
  step(record: CommandRecord, state: CommandState): void {
    record.state = state;
    record.times[state] = this.#deps.clock.nowMs();
    void this.#save(record);
  }

  /** Resolves when the end is recorded, or could not be (which is logged). Never rejects. */
  async end(
    record: CommandRecord,
    state: CommandState,
    about: { detail?: string | undefined; readBack?: Value | undefined } = {},
  ): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    record.state = state;
    record.times[state] ??= nowMs;
    record.times.ended = nowMs;
    if (about.detail !== undefined) record.detail = about.detail;
    if (about.readBack !== undefined) record.readBack = about.readBack;
    this.ends[state] = (this.ends[state] ?? 0) + 1;
    this.#judge(record);
    await this.#save(record);
  }

  #judge(record: CommandRecord): void {
    const name = seriesName(record);
    if (record.state === 'verified' || record.state === 'acknowledged') this.failing.delete(name);
    // Of what was not sent the caller knows; it says nothing of the device.
    else if (record.state !== 'rejected') {
      this.failing.delete(name);
      this.failing.set(name, structuredClone(record));
      const [oldest] = this.failing.keys();
      if (this.failing.size > limits.commandsFailingMax && oldest !== undefined) this.failing.delete(oldest);
    }
  }

  #tell(record: CommandRecord): void {
    this.#deps.news.tell(() => ({ event: 'command', record }));
  }

  #save(record: CommandRecord): Promise<void> {
    const { key, store, clock, log } = this.#deps;
    const copy = structuredClone(record);
    this.#tell(copy);
    // The store keeps the order: waiting for the step before would cost each a commit of its own.
    return within(clock, limits.storeWaitMs, store.saveCommand(key, copy)).catch((error: unknown) =>
      log.error('a step of a command was not recorded', { command: copy.id, state: copy.state, error: messageOf(error) }),
    );
  }
}
