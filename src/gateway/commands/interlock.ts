/** Whether an interlock lets a command through: its points are asked where they can be, else what they said last counts for a while. */
import type { Clock } from '../../contract/clock.ts';
import { formatDurationMs } from '../../contract/duration.ts';
import { Fault } from '../../contract/fault.ts';
import { type Comparison, comparisonsOf, type Interlock } from '../../contract/guards.ts';
import type { Sample } from '../../contract/sample.ts';
import { readFresh } from '../fresh.ts';
import type { Intake } from '../intake.ts';
import { toValue } from '../inversion.ts';
import type { Link } from '../link.ts';
import type { PlacedPoint, Plant } from '../plant.ts';
import { agrees } from './verification.ts';

export interface InterlockDeps {
  clock: Clock;
  plant: Plant;
  intake: Intake;
  link(connection: string): Link | undefined;
}

/** Throws a `Fault` 409 if it does not hold. Rejects with the signal's reason when nobody waits for it any more. */
export async function askInterlock(deps: InterlockDeps, device: string, interlock: Interlock, signal: AbortSignal): Promise<void> {
  const { all, any, maxAgeMs } = comparisonsOf(interlock);
  const asked = new Map<PlacedPoint, Promise<Sample>>();
  const look = async (comparison: Comparison): Promise<string | undefined> => {
    const placed = placeOf(deps, device, comparison);
    const link = placed && askable(deps, placed);
    if (!link) return judge(deps, comparison, placed, maxAgeMs);
    let reading = asked.get(placed);
    if (!reading) {
      reading = readFresh({ intake: deps.intake, link }, placed, 'command', signal);
      asked.set(placed, reading);
    }
    try {
      return judgeSample(comparison, placed, await reading);
    } catch {
      signal.throwIfAborted();
      // Why names hosts, which whoever commands need not be told; health says it.
      return `${comparison.text} cannot be told: ${placed.point.device}.${placed.point.id} cannot be asked now`;
    }
  };
  const [must, may] = [await Promise.all(all.map(look)), await Promise.all(any.map(look))];
  const against = verdict(must, may);
  if (against !== undefined) throw interlocked(device, against);
}

/** The same with what is known, without asking anybody; undefined if nothing stands against it. */
export function knownInterlock(deps: InterlockDeps, device: string, interlock: Interlock): string | undefined {
  const { all, any, maxAgeMs } = comparisonsOf(interlock);
  const look = (comparison: Comparison): string | undefined => {
    const placed = placeOf(deps, device, comparison);
    // What can be asked will be asked: its last word counts, however old.
    return judge(deps, comparison, placed, placed && askable(deps, placed) ? Number.POSITIVE_INFINITY : maxAgeMs);
  };
  return verdict(all.map(look), any.map(look));
}

export function interlocked(device: string, against: string): Fault {
  return new Fault(`${device} is interlocked: ${against}; nothing was sent`, { type: 'interlocked', blame: 'caller', status: 409 });
}

function placeOf({ plant }: InterlockDeps, device: string, comparison: Comparison): PlacedPoint | undefined {
  return plant.point({ device: comparison.device ?? device, point: comparison.point });
}

/** The link over which a point can be asked now, if there is one. */
function askable(deps: InterlockDeps, { point, device }: PlacedPoint): Link | undefined {
  const link = point.access === 'write' ? undefined : deps.link(device.device.connection);
  return link && link.requestsFor([point]).length > 0 ? link : undefined;
}

/** All of `must`, and one of `may` if there are any. */
function verdict(must: readonly (string | undefined)[], may: readonly (string | undefined)[]): string | undefined {
  const against = must.find((why) => why !== undefined);
  if (against !== undefined || may.length === 0 || may.includes(undefined)) return against;
  return may.join(', and ');
}

/** Why it does not hold, in words; undefined if it does. */
function judge({ clock }: InterlockDeps, comparison: Comparison, placed: PlacedPoint | undefined, maxAgeMs: number): string | undefined {
  if (!placed) return `${comparison.text} cannot be told: there is no such point`;
  const { last } = placed;
  if (!last) return `${comparison.text} cannot be told: there is no reading yet`;
  const ageMs = Number(clock.nowNs() - last.arrivalNs) / 1e6;
  if (ageMs > maxAgeMs) return `${comparison.text} cannot be told: the last reading is older than ${formatDurationMs(maxAgeMs)}`;
  return judgeSample(comparison, placed, last);
}

function judgeSample({ text, operator, constant }: Comparison, { point, shape }: PlacedPoint, sample: Sample): string | undefined {
  const { value, quality, reason } = sample;
  if (quality === 'bad' || reason === 'stale' || value === null) return `${text} cannot be told: its reading is ${reason || quality}`;
  const wanted = toValue(point, shape, constant);
  if (wanted === undefined || wanted === null) return `${text} cannot be told: ${constant} is no value of ${point.device}.${point.id}`;
  const holds = compare(value, operator, wanted);
  return holds ? undefined : `${text} does not hold, it reads ${value}`;
}

function compare(value: NonNullable<Sample['value']>, operator: Comparison['operator'], wanted: NonNullable<Sample['value']>): boolean {
  if (operator === '=' || operator === '!=') return agrees(wanted, value, 0) === (operator === '=');
  // A text that is no number is on no side of one.
  if (typeof value === 'string' || typeof value === 'boolean') return false;
  switch (operator) {
    case '<':
      return value < Number(wanted);
    case '<=':
      return value <= Number(wanted);
    case '>':
      return value > Number(wanted);
    case '>=':
      return value >= Number(wanted);
  }
}
