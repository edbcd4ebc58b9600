import type { Clock } from '../contract/clock.ts';
import type { CommandRecord } from '../contract/command.ts';
import { limits } from '../contract/limits.ts';
import type { ConnectivityChange } from '../contract/status.ts';
import type { Engine } from './engine.ts';
import { storageFull } from './faults.ts';
import { fromJson, toJson } from './json.ts';
import type { RecordWrite } from './messages.ts';
import { clampTime } from './place.ts';
import type { AuditCheck, AuditLine, CommandsOptions, TimeRange } from './store.ts';

/** `patient` waits as long as the disk refuses. */
type Write = (record: RecordWrite, patient?: boolean) => Promise<void>;

/** What is kept beside samples: commands, connectivity, remembered maps. Written with the commit that is next. */
export class Journal {
  readonly #engine: Engine;
  readonly #write: Write;
  readonly #settle: () => Promise<void>;
  readonly #clock: Clock;
  /** Resolves when the last command was handed in, or could not be. */
  #handedIn: Promise<void> = Promise.resolve();

  constructor(engine: Engine, write: Write, settle: () => Promise<void>, clock: Clock) {
    this.#engine = engine;
    this.#write = write;
    this.#settle = settle;
    this.#clock = clock;
  }

  /** In the order of the calls: a later step of a command is never overtaken by an earlier one. */
  async saveCommand(gateway: string, record: CommandRecord): Promise<void> {
    const before = this.#handedIn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#handedIn = promise;
    try {
      const write = recordWriteOf(gateway, record, this.#clock.nowMs());
      // Does not wait for a disk that may come back some day: whoever sends a command waits for the answer.
      await this.#engine.writable();
      await before;
      const written = this.#write(write);
      resolve();
      await written;
    } finally {
      resolve();
    }
  }

  async command(gateway: string, by: 'id' | 'key', text: string): Promise<CommandRecord | undefined> {
    const json = await this.#engine.read('command', { gateway, by, text });
    return json === null ? undefined : commandOf(json);
  }

  async commands(gateway: string, { limit, skip = 0, range, open = false, target }: CommandsOptions): Promise<CommandRecord[]> {
    const bounds = range ? { fromMs: msFrom(range.fromNs), toMs: msFrom(range.toNs) } : {};
    const about = { gateway, limit: Math.min(limit, limits.commandsKeptMax), skip, open };
    const answer = await this.#engine.read('commands', { ...about, ...bounds, ...(target ? { target } : {}) });
    return answer.map(commandOf);
  }

  async expireCommands(gateway: string, beforeMs: number): Promise<number> {
    await this.#engine.writable();
    return await this.#engine.write('expireCommands', { gateway, beforeMs: Math.trunc(beforeMs), nowMs: Math.trunc(this.#clock.nowMs()) });
  }

  async audit(gateway: string, { afterSeq, limit }: { afterSeq: number; limit: number }): Promise<AuditLine[]> {
    return await this.#engine.read('audit', { gateway, afterSeq, limit: Math.min(limit, limits.auditPageLines) });
  }

  async checkAudit(gateway: string, signal?: AbortSignal): Promise<AuditCheck> {
    return await this.#engine.read('auditCheck', { gateway }, signal);
  }

  async appendConnectivity(gateway: string, changes: readonly ConnectivityChange[]): Promise<void> {
    await Promise.all(
      changes.map((change) =>
        this.#write({ type: 'connectivity', gateway, change: { ...change, timeNs: clampTime(change.timeNs) } }, true),
      ),
    );
  }

  async connectivity(gateway: string, devices: readonly string[], range: TimeRange, signal: AbortSignal): Promise<ConnectivityChange[]> {
    await this.#settle();
    return this.#engine.read(
      'connectivity',
      { gateway, devices: [...devices], fromNs: clampTime(range.fromNs), toNs: clampTime(range.toNs) },
      signal,
    );
  }

  async remember(gateway: string, scope: string, key: string, value: unknown): Promise<void> {
    const json = value === undefined ? null : toJson(value);
    if (json !== null && json.length > limits.rememberedBytesMax) {
      throw storageFull(`${scope} ${key} has ${json.length} characters; allowed are ${limits.rememberedBytesMax}`);
    }
    await this.#write({ type: 'remember', gateway, scope, key, json });
  }

  async recall(gateway: string, scope: string): Promise<Map<string, unknown>> {
    await this.#settle();
    const answer = await this.#engine.read('recall', { gateway, scope });
    return new Map(answer.map(([key, json]) => [key, fromJson(json)]));
  }
}

/** `atMs` is the time of its line in the audit. */
function recordWriteOf(gateway: string, record: CommandRecord, atMs: number): RecordWrite {
  const { id, idempotencyKey: key = null, times } = record;
  const begun = [times.queued, ...Object.values(times)].find((time) => time !== undefined) ?? atMs;
  return {
    type: 'command',
    gateway,
    id,
    key,
    createdMs: Math.trunc(begun),
    endedMs: times.ended === undefined ? null : Math.trunc(times.ended),
    atMs: Math.trunc(atMs),
    json: toJson(record),
  };
}

/** What was written by `saveCommand` is a record. */
function commandOf(json: string): CommandRecord {
  return fromJson(json) as CommandRecord;
}

/** The first whole millisecond that is not before `timeNs`: half-open ranges stay half-open. */
function msFrom(timeNs: bigint): number {
  const whole = timeNs / 1_000_000n;
  return Number(timeNs > whole * 1_000_000n ? whole + 1n : whole);
}
