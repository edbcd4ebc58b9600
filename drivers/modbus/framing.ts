/** Which framing a transport has. */
import { asciiFraming } from './ascii-frame.ts';
import type { Framing } from './frame.ts';
import { rtuFraming } from './rtu-frame.ts';
import type { LineTransport } from './settings.ts';

export function framingOf({ type }: LineTransport): Framing {
  return type === 'rtu' || type === 'rtu-over-tcp' ? rtuFraming : asciiFraming;
}
