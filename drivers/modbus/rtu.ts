/** A connection's share of a serial line. */
import type { Host } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { TtySettings } from '../tty/settings.ts';
import { join } from '../tty/sharing.ts';
import type { Link, LinkEvents } from './link.ts';
import { RtuLine } from './rtu-line.ts';
import type { ConnectionOptions, RtuTransport } from './settings.ts';

export function ttyOf({ path, baudRate, parity, stopBits }: RtuTransport): TtySettings {
  return { path, baudRate, dataBits: 8, parity, stopBits, flowControl: 'none' };
}

/** Rejects with what is wrong with the port, in words. */
export async function joinLine(
  transport: RtuTransport,
  options: ConnectionOptions,
  host: Host,
  events: LinkEvents,
  signal: AbortSignal,
): Promise<Link> {
  const turnaroundMs = transport.turnaround ?? Math.min(options.timeout, limits.turnaroundMaxMs);
  const { thing: line, leave } = await join(host.shared, () => RtuLine.open(ttyOf(transport), turnaroundMs, host.clock), signal);
  line.losses.add(events.lost);
  return {
    name: transport.path,
    turn: (wanted) => line.turn(options.requestDelay, turnaroundMs, wanted),
    send: (transaction, unitAndPdu) =>
      line.send(Buffer.from(unitAndPdu), {
        answer: (frame) => events.frame({ transaction, unitId: frame.readUInt8(0), pdu: frame.subarray(1) }),
        damaged: () => events.damaged(transaction),
      }),
    overdue: () => line.overdue(),
    async close() {
      line.losses.delete(events.lost);
      await leave();
    },
  };
}
