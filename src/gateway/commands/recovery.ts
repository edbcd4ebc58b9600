/** After a crash: what the points of the commands it cut off read now. The commands themselves are never sent again. */
import type { Clock } from '../../contract/clock.ts';
import type { CommandRecord } from '../../contract/command.ts';
import { limits } from '../../contract/limits.ts';
import type { Sample } from '../../contract/sample.ts';
import { readFresh } from '../fresh.ts';
import type { Intake } from '../intake.ts';
import type { Link } from '../link.ts';
import type { Plant } from '../plant.ts';
import type { Journal } from './journal.ts';

export interface RecoveryDeps {
  clock: Clock;
  plant: Plant;
  intake: Intake;
  journal: Journal;
  /** When this run began: what a point said before is no news. */
  startedNs: bigint;
  link(connection: string): Link | undefined;
}

/**
 * Waits until the device can be asked, or says something by itself, and adds what it reads to the record. Gives up after `limits.recoveryReadMs`. Never
 * rejects. A later command to the same point ends it: from then on the reading says nothing of this one.
 */
export async function readAfterCrash(
  deps: RecoveryDeps,
  record: CommandRecord,
  isOvertaken: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  if (record.kind !== 'set') return;
  const { clock, journal } = deps;
  const endMs = clock.monotonicMs() + limits.recoveryReadMs;
  try {
    while (clock.monotonicMs() < endMs && !isOvertaken()) {
      const sample = await look(deps, record, signal);
      if (isOvertaken()) return;
      if (sample && sample.quality !== 'bad' && sample.value !== null) {
        await journal.addReading(record, sample.value, `after the restart it reads ${sample.value}`);
        return;
      }
      await clock.sleep(limits.recoveryLookMs, signal);
    }
  } catch {
    // The gateway is being stopped: the record says what is known.
  }
}

/** A reading of after the start; undefined if there is none yet. */
async function look(
  { plant, intake, startedNs, link: linkOf }: RecoveryDeps,
  { device, point }: CommandRecord,
  signal: AbortSignal,
): Promise<Sample | undefined> {
  const placed = plant.point({ device, point });
  const link = placed && linkOf(placed.device.device.connection);
  if (!placed || !link || link.downBecause !== undefined || placed.point.access === 'write') return undefined;
  if (link.requestsFor([placed.point]).length > 0) {
    return await readFresh({ intake, link }, placed, 'fresh', signal).catch(() => {
      signal.throwIfAborted();
      return undefined;
    });
  }
  return placed.last && placed.last.arrivalNs >= startedNs ? placed.last.copy() : undefined;
}
