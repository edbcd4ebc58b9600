/** Compare-and-set: a command that is sent only if the point reads what its sender believes (DESIGN §8). */
import type { CommandValue } from '../../contract/command.ts';
import { Fault } from '../../contract/fault.ts';
import { readFresh } from '../fresh.ts';
import type { Intake } from '../intake.ts';
import { toValue } from '../inversion.ts';
import type { Link } from '../link.ts';
import type { PlacedPoint } from '../plant.ts';
import { agrees } from './verification.ts';

/** Asks the device where it can be asked, else takes what it said last. Throws a `Fault` 409 if that is not what is expected. */
export async function compare(
  deps: { intake: Intake; link: Link },
  placed: PlacedPoint,
  expect: CommandValue,
  signal: AbortSignal,
): Promise<void> {
  const { point, shape } = placed;
  const isAskable = point.access !== 'write' && deps.link.requestsFor([point]).length > 0;
  const now = isAskable ? await readFresh(deps, placed, 'command', signal) : placed.last;
  const expected = toValue(point, shape, expect);
  const tolerance = typeof point.write?.verify === 'object' ? point.write.verify.tolerance : 0;
  if (now && now.quality !== 'bad' && expected !== undefined && agrees(expected, now.value, tolerance)) return;
  const reads = !now || now.quality === 'bad' ? `has no reading${now ? ` (${now.reason})` : ''}` : `reads ${now.value}`;
  throw new Fault(`${point.device}.${point.id} ${reads}, not ${expect} as expected; nothing was sent`, {
    type: 'expect-failed',
    blame: 'caller',
    status: 409,
    place: 'expect',
    extra: { reading: now && typeof now.value === 'bigint' ? String(now.value) : (now?.value ?? null) },
  });
}
