/** Looks back at how the connections of one client name ended: two clients of one name throw each other out for ever, and each end alone looks harmless. */
import type { Host } from '../../src/contract/driver.ts';
import { Fault } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';

interface Kept {
  /** The connection of ours that is open under this name. */
  owner: string | undefined;
  /** When connections ended that somebody else may have ended, monotonic. */
  endsMs: number[];
}

export class Endings {
  readonly #host: Pick<Host, 'clock'>;
  readonly #clientId: string;
  readonly #kept: Kept;
  readonly #openedMs: number;

  /** Throws a Fault if another connection of this gateway has the same name at the same broker. */
  constructor(host: Pick<Host, 'clock' | 'shared'>, connection: string, clientId: string) {
    this.#host = host;
    this.#clientId = clientId;
    const name = `mqtt client ${clientId}`;
    const known = host.shared.get(name) as Kept | undefined;
    this.#kept = known ?? { owner: undefined, endsMs: [] };
    host.shared.set(name, this.#kept);
    const { owner } = this.#kept;
    if (owner !== undefined && owner !== connection) {
      throw new Fault(
        `connection ${JSON.stringify(owner)} uses the "clientId" ${JSON.stringify(clientId)} at this broker already; each needs its own`,
        { type: 'connection-failed', blame: 'config', status: 503 },
      );
    }
    this.#kept.owner = connection;
    this.#openedMs = host.clock.monotonicMs();
  }

  /** Our own connection is not open any more. */
  release(): void {
    this.#kept.owner = undefined;
  }

  /** What an end that the broker made means, if more is to be said than that it ended. `isTaken`: the broker said that another client took over. */
  explain(isTaken: boolean): string | undefined {
    const nowMs = this.#host.clock.monotonicMs();
    // An older broker only hangs up; long after opening that has other reasons.
    if (!isTaken && nowMs - this.#openedMs > limits.mqttTwinEndMs) return undefined;
    const { endsMs } = this.#kept;
    endsMs.push(nowMs);
    const recent = endsMs.filter((ms) => nowMs - ms <= limits.mqttEndingsMs).slice(-limits.mqttEndingsKept);
    this.#kept.endsMs = recent;
    const name = JSON.stringify(this.#clientId);
    if (isTaken && recent.length >= 2)
      return `another client uses the "clientId" ${name} too: they throw each other out, ${recent.length} times lately; give each a name of its own`;
    if (!isTaken && recent.length >= 3)
      return `the broker hung up ${recent.length} times lately, each time soon after opening; another client with the "clientId" ${name} looks like that`;
    return undefined;
  }
}
