/**
 * Whether this host application is there: STATE, kept by the broker (specification 3.0, §4.4.2 and §5.19). The last will and the birth of one connection
 * have the same time, that of connecting; who leaves in order says so with the time of leaving.
 */
import type { IPublishPacket } from 'mqtt';
import type { Clock } from '../../../src/contract/clock.ts';
import { decodeJson } from '../payload/plain.ts';
import { stateTopic } from './topic.ts';

export interface Notice {
  topic: string;
  payload: string;
  qos: 1;
  retain: true;
}

export class HostState {
  readonly topic: string;
  readonly #clock: Clock;
  #connectMs = 0;

  constructor(hostId: string, clock: Clock) {
    this.topic = stateTopic(hostId);
    this.#clock = clock;
  }

  /** The last will of a connection that is made now. */
  connecting(): Notice {
    this.#connectMs = this.#nowMs();
    return this.#notice(false, this.#connectMs);
  }

  /** To be said when the subscriptions are granted. */
  born(): Notice {
    return this.#notice(true, this.#connectMs);
  }

  leaving(): Notice {
    return this.#notice(false, this.#nowMs());
  }

  /** True if somebody, a last will that comes late, says that we are gone (tck-id-message-flow-hid-sparkplug-state-message-delivered). */
  isDenied({ topic, payload }: Pick<IPublishPacket, 'topic' | 'payload'>): boolean {
    if (topic !== this.topic) return false;
    try {
      const said: unknown = decodeJson(payload as Buffer);
      return typeof said === 'object' && said !== null && 'online' in said && said.online === false;
    } catch {
      return false;
    }
  }

  #notice(online: boolean, timestamp: number): Notice {
    return { topic: this.topic, payload: JSON.stringify({ online, timestamp }), qos: 1, retain: true };
  }

  #nowMs(): number {
    return Number(this.#clock.nowNs() / 1_000_000n);
  }
}
