import { Fault } from '../contract/fault.ts';
import { StoreTrouble, type TroubleKind } from './messages.ts';

/** The faults callers of the store see; all but the row bound are ours. */
function storageFault(type: string, message: string, cause?: unknown): Fault {
  return new Fault(message, { type, blame: 'gateway', status: 503, ...(cause === undefined ? {} : { cause }) });
}

export function storageFull(detail: string): Fault {
  return storageFault('storage-full', `history takes no more: ${detail}`);
}

/** Of an append whose other samples are committed; `refused` are the places of those that are not. */
export class TooManySeries extends Fault {
  readonly refused: readonly number[];

  constructor(seriesMax: number, refused: readonly number[]) {
    super(`history takes no new series: there are ${seriesMax} already, which is series_max`, {
      type: 'too-many-series',
      blame: 'gateway',
      status: 503,
    });
    this.refused = refused;
  }
}

export function storageFailed(detail: string, cause?: unknown): Fault {
  return storageFault('storage-failed', `history is not available: ${detail}`, cause);
}

/** Whether what failed may go well another time: the medium refused it, or the worker died meanwhile. */
export function mayPass(error: unknown): boolean {
  const kind = kindOf(error);
  return kind === 'disk' || kind === 'damaged' || kind === 'died';
}

export function hasDied(error: unknown): boolean {
  return kindOf(error) === 'died';
}

function kindOf(error: unknown): TroubleKind | undefined {
  const trouble = error instanceof Fault ? error.cause : error;
  return trouble instanceof StoreTrouble ? trouble.kind : undefined;
}

export function storageWaiting(detail: string): Fault {
  return storageFault('storage-waiting', `history is not available yet: ${detail}`);
}

export function storageBusy(detail: string): Fault {
  return storageFault('storage-busy', `history is busy: ${detail}`);
}

export function storageClosed(): Fault {
  return storageFault('storage-closed', 'history is closed');
}

/** What the caller gets to see of a trouble in a worker; anything else, an abort's reason above all, passes unchanged. */
export function faultOf(error: unknown): unknown {
  if (!(error instanceof StoreTrouble)) return error;
  if (error.kind === 'limit') return new Fault(error.message, { type: 'too-many-rows', blame: 'caller', status: 400 });
  return storageFailed(error.message, error);
}
