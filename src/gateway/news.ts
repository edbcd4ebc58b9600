/** What happens in a gateway beside samples, told to whoever follows. */
import type { CommandRecord } from '../contract/command.ts';
import { messageOf } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import type { ConnectivityChange } from '../contract/status.ts';

export type GatewayEvent =
  | { event: 'connectivity'; change: ConnectivityChange }
  /** A step of a command; the record is a copy. */
  | { event: 'command'; record: CommandRecord };

type See = (event: GatewayEvent) => void;

export class News {
  readonly #log: Log;
  readonly #followers = new Set<See>();

  constructor(log: Log) {
    this.#log = log;
  }

  follow(see: See): () => void {
    const own: See = (event) => see(event);
    this.#followers.add(own);
    return () => {
      this.#followers.delete(own);
    };
  }

  /** `of` makes the event; it is not called when nobody listens. */
  tell(of: () => GatewayEvent): void {
    if (this.#followers.size === 0) return;
    const event = of();
    for (const see of [...this.#followers]) {
      try {
        see(event);
      } catch (error) {
        this.#log.warn('a follower failed and is not told any more', { error: messageOf(error) });
        this.#followers.delete(see);
      }
    }
  }
}
