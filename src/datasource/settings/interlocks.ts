/** Interlocks name points anywhere: one that names what there is not blocks every command, which whoever wrote it should hear of. */
import type { ActionConfig } from '../../contract/device.ts';
import { comparisonsOf, type Interlock } from '../../contract/guards.ts';
import type { ReadDevice } from './devices.ts';
import type { Faults } from './faults.ts';

/** Only warns: what is discovered later may be there then. */
export function checkInterlocks(devices: readonly ReadDevice[], faults: Faults): void {
  const readable = new Set(
    devices.flatMap(({ device, points }) =>
      points.filter(({ point }) => point.access !== 'write').map(({ point }) => `${device.id}.${point.id}`),
    ),
  );
  const missing = (interlock: Interlock | undefined, device: string): string | undefined => {
    if (interlock === undefined) return undefined;
    const { all, any } = comparisonsOf(interlock);
    const names = [...all, ...any].map((one) => `${one.device ?? device}.${one.point}`);
    return names.find((name) => !readable.has(name));
  };
  for (const { element, device, points } of devices) {
    if (device.placeholders) continue;
    for (const { raw, point } of points) {
      const name = missing(point.write?.interlock, device.id);
      if (name !== undefined) faults.warn(raw.elementOf('write'), '.write.interlock', blocks(name));
    }
    for (const { id, interlock } of device.actions as ActionConfig[]) {
      const name = missing(interlock, device.id);
      if (name !== undefined) faults.warn(element, '.commands', `has ${id} with an interlock that ${blocks(name)}`);
    }
  }
}

function blocks(name: string): string {
  return `names ${name}, and there is no such point that is read: as long as there is none it blocks every command`;
}
