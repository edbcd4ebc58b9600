/** What the files of the stream share: a channel while it is open. */
import type { Clock } from '../contract/clock.ts';
import type { Log } from '../contract/log.ts';
import type { Series } from '../frame/series.ts';
import type { Store } from '../store/store.ts';
import type { ChannelSpec } from './channels.ts';
import type { About } from './stream-packet.ts';
import type { Tap } from './stream-tap.ts';

/** One open channel. */
export interface Live {
  /** `ds/<uid>/live/<hash>`. */
  address: string;
  spec: ChannelSpec;
  tap: Tap;
  /** Aggregates: the start of the first interval that was not sent or answered yet. */
  nextBucketNs?: bigint;
  /** Rows of before the tap was opened, for the first who comes. */
  missed?: readonly Series[];
  /** Kept when what viewers missed has been looked up. */
  caughtUp?: Promise<void>;
  /** When its last stream ended. */
  leftNs?: bigint;
  /** A stream runs; then it is where the stream has got to. */
  cursor?: number;
  streams: number;
  /** Takes back the closing for idleness. */
  keep?: () => void;
}

export interface StreamDeps {
  store: Store;
  clock: Clock;
  log: Log;
}

/** What stands beside the columns in the schema of a packet: the same as in the history it goes on with. */
export function aboutOf(live: Pick<Live, 'address' | 'spec'>): About {
  return { refId: live.spec.refId, meta: { channel: live.address }, quality: live.spec.query.quality };
}
