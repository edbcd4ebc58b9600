/** One query on its way to whoever answers its type. */
import type { Caller } from '../contract/caller.ts';
import type { Clock } from '../contract/clock.ts';
import type { Log } from '../contract/log.ts';
import type { Frame } from '../frame/frame.ts';
import type { Borrow, Store } from '../store/store.ts';
import type { Instance } from './instance.ts';
import type { Ask } from './query-parse.ts';
import type { Streams } from './stream.ts';

export interface QueryDeps {
  store: Store;
  clock: Clock;
  log: Log;
  /** Where live continuations are prepared. */
  streams: Pick<Streams, 'prepare' | 'prepareTail'>;
}

/** What answers one type of query. */
export type Answerer = (question: Question) => Frame[] | Promise<Frame[]>;

export interface Question {
  ask: Ask;
  instance: Instance;
  caller: Caller;
  deps: QueryDeps;
  signal: AbortSignal;
  /** Takes large samples on loan until the answer is sent. */
  borrow: Borrow;
}
