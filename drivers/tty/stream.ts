/** A serial port wherever it is: on this machine, or behind a device server. */
import type { Clock } from '../../src/contract/clock.ts';
import { Port } from './port.ts';
import type { PortEvents, Stream } from './port-stream.ts';
import { openRfc2217 } from './rfc2217.ts';
import { isNetwork, isTcp, type TtySettings } from './settings.ts';
import { openSocket } from './socket.ts';

/** Rejects with what is wrong and what to do, in words. Events may come before it resolves. */
export function openStream(settings: TtySettings, events: PortEvents, clock: Clock): Promise<Stream> {
  if (!isNetwork(settings.path)) return Port.open(settings, events, clock);
  return isTcp(settings.path) ? openSocket(settings.path, events, clock) : openRfc2217(settings, events, clock);
}
