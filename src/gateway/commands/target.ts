/** What a command is for: a point, or a named action of a device. */
import type { Guards } from '../../contract/guards.ts';
import type { PlacedDevice } from '../plant.ts';

export interface Target {
  device: PlacedDevice;
  /** The point or the action. */
  name: string;
  kind: 'set' | 'act';
  guards: Guards;
}

/** `boiler.setpoint`: pauses and questions go by it. An action and a point may bear the same name. */
export function targetKey(device: string, name: string, kind: Target['kind']): string {
  return `${kind} ${device}.${name}`;
}
