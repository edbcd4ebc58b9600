/** A connection's share of a line: RTU or ASCII, on a serial port or behind a converter that is reached over TCP. */
import type { Clock } from '../../src/contract/clock.ts';
import type { Host } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { Port } from '../tty/port.ts';
import { type TtySettings, wireMs } from '../tty/settings.ts';
import { join } from '../tty/sharing.ts';
import { dial, linkWords } from './dial.ts';
import { framingOf } from './framing.ts';
import { Line, type LineKind, type Pipe, type PipeEvents } from './line.ts';
import type { Link, LinkEvents } from './link.ts';
import { type ConnectionOptions, isSerial, type LineTransport, type SerialTransport } from './settings.ts';

export function ttyOf({ path, baudRate, parity, stopBits, dataBits }: SerialTransport): TtySettings {
  return { path, baudRate, dataBits, parity, stopBits, flowControl: 'none' };
}

/** Rejects with what is wrong with the port or the address, in words. */
export async function joinLine(
  transport: LineTransport,
  options: ConnectionOptions,
  host: Host,
  events: LinkEvents,
  signal: AbortSignal,
): Promise<Link> {
  const turnaroundMs = transport.turnaround ?? Math.min(options.timeout, limits.turnaroundMaxMs);
  const open = (abandoned: AbortSignal) => Line.open(kindOf(transport, host.clock, abandoned), turnaroundMs, host.clock);
  const { thing: line, leave } = await join(host.shared, open, signal);
  line.losses.add(events.lost);
  line.strays.add(events.stray);
  return {
    name: line.kind.name,
    turn: (wanted) => line.turn(options.requestDelay, turnaroundMs, wanted),
    send: (transaction, unitAndPdu, awaitsAnswer) =>
      line.send(
        Buffer.from(unitAndPdu),
        awaitsAnswer
          ? {
              answer: (frame, bytes) => events.frame({ transaction, unitId: frame.readUInt8(0), pdu: frame.subarray(1), bytes }),
              damaged: (bytes) => events.damaged(transaction, bytes),
            }
          : undefined,
      ),
    overdue: () => line.overdue(),
    async close() {
      line.losses.delete(events.lost);
      line.strays.delete(events.stray);
      await leave();
    },
  };
}

function kindOf(transport: LineTransport, clock: Clock, abandoned: AbortSignal): LineKind {
  const framing = framingOf(transport);
  if (isSerial(transport)) {
    const tty = ttyOf(transport);
    return {
      name: transport.path,
      framing,
      baudRate: transport.baudRate,
      wireMs: (bytes) => wireMs(tty, bytes),
      async open(events) {
        const port = await Port.open(tty, events, clock);
        return { write: (bytes) => void port.write(bytes), discard: () => port.discard(), close: () => port.close() };
      },
    };
  }
  // The converter keeps the silence on the wire behind it, and its speed is its own setting.
  const { host, port } = transport;
  return {
    name: `${host}:${port}`,
    framing,
    baudRate: undefined,
    wireMs: () => 0,
    open: (events) => openSocket(host, port, events, abandoned),
  };
}

async function openSocket(host: string, port: number, events: PipeEvents, abandoned: AbortSignal): Promise<Pipe> {
  const { socket, hear } = await dial({ host, port }, abandoned);
  const gone = new Promise<void>((done) => socket.once('close', () => done()));
  let over = false;
  const lose = (error: unknown) => {
    if (over) return;
    over = true;
    socket.destroy();
    events.lost(new LinkLost(`${host}:${port}: ${linkWords(error)}`, { cause: error }));
  };
  socket.on('error', lose);
  socket.on('close', () => lose(new Error('the other end closed the connection')));
  hear((bytes) => events.data(bytes));
  return {
    write: (bytes) => void (over || socket.write(bytes)),
    // What has reached this machine is read by itself; a turn of the loop lets it.
    discard: () => new Promise((done) => setImmediate(done)),
    async close() {
      over = true;
      socket.destroy();
      await gone;
    },
  };
}
