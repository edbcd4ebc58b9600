import { OpenBatch, type SpareColumns } from './batch.ts';
import type { RecordWrite } from './messages.ts';

/** One call that waits. */
interface Ticket {
  resolve(): void;
  reject(error: unknown): void;
}

export interface RecordTicket extends Ticket {
  record: RecordWrite;
  /** Waits as long as the disk refuses, as samples do. */
  patient: boolean;
}

/** A batch and who waits for it. */
export class Group {
  readonly batch: OpenBatch;
  /** Of `batch.records`, in their order. */
  recordTickets: RecordTicket[] = [];
  /** Of those who want to know what became of the first try. */
  readonly triers: Ticket[] = [];
  #committed: PromiseWithResolvers<void> | undefined;
  /** Workers that died of it, or with it. */
  deaths = 0;

  constructor(spare: SpareColumns) {
    this.batch = new OpenBatch(spare);
  }

  /** Of its samples: one promise for all who wait, because a disk that refuses lets them become many. */
  get committed(): Promise<void> {
    this.#committed ??= Promise.withResolvers();
    return this.#committed.promise;
  }

  get size(): number {
    return this.batch.rows + this.batch.records.length;
  }

  take(ticket: RecordTicket): void {
    this.recordTickets.push(ticket);
    this.batch.records.push(ticket.record);
  }

  /** It is committed, but for the records (by index) that hit a bound. */
  resolve(refused: ReadonlyMap<number, Error>): void {
    for (const [index, error] of refused) this.recordTickets[index]?.reject(error);
    for (const ticket of [...this.recordTickets, ...this.triers]) ticket.resolve();
    this.#committed?.resolve();
    this.batch.release();
  }

  reject(error: unknown): void {
    this.rejectImpatient(error);
    for (const ticket of this.recordTickets) ticket.reject(error);
    this.#committed?.reject(error);
    this.batch.release();
  }

  /** Whoever cannot wait for the disk to come back is told, and what they wanted written is forgotten; answers with how many records that were. */
  rejectImpatient(error: unknown): number {
    const before = this.recordTickets;
    this.recordTickets = before.filter(({ patient }) => patient);
    for (const ticket of [...before.filter(({ patient }) => !patient), ...this.triers]) ticket.reject(error);
    this.triers.length = 0;
    this.batch.records.length = 0;
    for (const { record } of this.recordTickets) this.batch.records.push(record);
    return before.length - this.recordTickets.length;
  }
}
