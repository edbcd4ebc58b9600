/** A serial port wherever it is: on this machine, or behind a device server. */
import type { Clock } from '../../src/contract/clock.ts';
import { Port, type PortEvents } from './port.ts';
import { openRfc2217 } from './rfc2217.ts';
import { isNetwork, isTcp, type TtySettings } from './settings.ts';
import { openSocket } from './socket.ts';

export interface Stream {
  /** Hands the bytes over in turn. Never rejects: failing means that the port is lost, which is told by `lost`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Throws away what has come and was not read yet. Never rejects. */
  discard(): Promise<void>;
  /** Never rejects; any number of times. Resolves when the port is free for others. */
  close(): Promise<void>;
}

/** Rejects with what is wrong and what to do, in words. Events may come before it resolves. */
export function openStream(settings: TtySettings, events: PortEvents, clock: Clock): Promise<Stream> {
  if (!isNetwork(settings.path)) return Port.open(settings, events, clock);
  return isTcp(settings.path) ? openSocket(settings.path, events, clock) : openRfc2217(settings, events, clock);
}
