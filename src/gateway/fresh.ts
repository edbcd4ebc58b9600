/** Asks the device for one point now. */
import type { PlannedRequest, Reading } from '../contract/driver.ts';
import { Fault } from '../contract/fault.ts';
import type { Sample } from '../contract/sample.ts';
import type { Priority } from './bus.ts';
import { againOf, type Intake } from './intake.ts';
import type { Link } from './link.ts';
import type { PlacedPoint } from './plant.ts';

/** The sample it gave, which also went the way of every other. Throws a `Fault` 409 for a point that cannot be asked, else as `Link.ask`. */
export async function readFresh(
  deps: { intake: Intake; link: Link },
  placed: PlacedPoint,
  priority: Priority,
  signal: AbortSignal,
): Promise<Sample> {
  const { point } = placed;
  const [request] = point.access === 'write' ? [] : deps.link.requestsFor([point]);
  if (!request) {
    throw new Fault(
      `${point.device}.${point.id} cannot be asked: it ${point.access === 'write' ? 'is only written' : 'speaks by itself'}`,
      {
        type: 'not-askable',
        blame: 'caller',
        status: 409,
      },
    );
  }
  const readings = await readUntilReady(deps.link, request, priority, signal);
  let fresh: Sample | undefined;
  const stop = deps.intake.watch(placed, (sample) => {
    fresh = sample;
  });
  deps.intake.take(readings);
  stop();
  if (!fresh)
    throw new Fault(`the driver answered without ${point.device}.${point.id}`, { type: 'no-answer', blame: 'device', status: 502 });
  return fresh;
}

/** A device that puts us off is asked again as often as its settings allow; others use the bus meanwhile. */
async function readUntilReady(link: Link, request: PlannedRequest, priority: Priority, signal: AbortSignal): Promise<Reading[]> {
  for (let tries = 0; ; tries++) {
    const readings = await link.read(request, priority, signal);
    const again = againOf(readings);
    if (!again || tries >= again.times) return readings;
    await link.clock.sleep(again.afterMs, signal);
  }
}
