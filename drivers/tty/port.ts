/** An open serial port: bytes in, bytes out, and one word when it is gone. No retry. */
import { readSync } from 'node:fs';
import type { SerialPort } from 'serialport';
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { PortEvents } from './port-stream.ts';
import type { TtySettings } from './settings.ts';
import { openingFailed } from './words.ts';

type Opened = Awaited<ReturnType<typeof SerialPort.binding.open>>;

/** The binding (13.0.0) sets all lines at once, those it is not told to off. */
const noBreak = { brk: false, cts: false, dsr: false };

/** A read of one tty gives at most its line buffer of 4 KiB. */
const chunkBytes = 4 * 1024;

/** What is read goes into one piece of memory after the other, and listeners get views of it. */
const slabBytes = 64 * 1024;

export class Port {
  readonly #path: string;
  readonly #opened: Opened;
  readonly #events: PortEvents;
  readonly #clock: Clock;
  /** The other lines, which are said again whenever RTS is. */
  readonly #lines: { brk: boolean; cts: boolean; dsr: boolean; dtr: boolean };
  /** What RTS is while sending; undefined where it has nothing to do with it. */
  readonly #sendsWithRts: boolean | undefined;
  readonly #reading: Promise<void>;
  #over = false;
  #closed: Promise<void> | undefined;
  /** Writes one after the other, as they came. */
  #writing: Promise<void> = Promise.resolve();

  private constructor({ path, dtr, rs485 = 'off' }: TtySettings, opened: Opened, events: PortEvents, clock: Clock) {
    this.#path = path;
    this.#lines = { ...noBreak, dtr: dtr !== 'off' };
    this.#sendsWithRts = rs485 === 'off' ? undefined : rs485 === 'rts-high';
    this.#opened = opened;
    this.#events = events;
    this.#clock = clock;
    this.#reading = this.#read();
  }

  /** Rejects with what is wrong and what to do, in words. Events may come before it resolves. */
  static async open(settings: TtySettings, events: PortEvents, clock: Clock): Promise<Port> {
    const { path, baudRate, dataBits, parity, stopBits, flowControl, hangUp = true } = settings;
    const binding = await loadBinding();
    const software = flowControl === 'software';
    // The lock keeps a second program that asks for one away; nothing else is as quiet as two readers of one port.
    const options = {
      path,
      baudRate,
      dataBits,
      parity,
      stopBits,
      rtscts: flowControl === 'hardware',
      xon: software,
      xoff: software,
      hupcl: hangUp,
    };
    let opened: Opened;
    try {
      opened = await binding.open({ ...options, lock: true });
    } catch (error) {
      throw await openingFailed(path, error);
    }
    try {
      await setLines(opened, settings, clock);
    } catch (error) {
      await opened.close().catch(() => {});
      throw new Error(`${path}: its lines DTR and RTS cannot be set (${messageOf(error)}); leave out dtr, rts and rs485`, { cause: error });
    }
    return new Port(settings, opened, events, clock);
  }

  /** Hands the bytes over in turn. Never rejects: failing means that the port is lost, which is told by `lost`. */
  write(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeNow(Buffer.from(bytes)));
    return this.#writing;
  }

  /** Throws away what has reached this machine and was not read yet. Never rejects. */
  async discard(): Promise<void> {
    if (!this.#over) await this.#opened.flush().catch(() => {});
  }

  /** Never rejects; any number of times. Resolves when the port is free for others. Does not say `lost`. */
  close(): Promise<void> {
    this.#over = true;
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #writeNow(bytes: Buffer): Promise<void> {
    if (this.#over) return;
    const cancel = this.#clock.after(limits.ttyWriteMs, () =>
      this.#lose(`took no bytes for ${limits.ttyWriteMs / 1_000} s: is flow control right, and the other end awake?`),
    );
    try {
      if (this.#sendsWithRts !== undefined) await this.#opened.set({ ...this.#lines, rts: this.#sendsWithRts });
      await this.#opened.write(bytes);
      if (this.#sendsWithRts !== undefined) {
        // Until the last bit has left, the adapter must not listen.
        await this.#opened.drain();
        await this.#opened.set({ ...this.#lines, rts: !this.#sendsWithRts });
      }
    } catch (error) {
      this.#lose('is gone: it takes no bytes any more', error);
    } finally {
      cancel();
    }
  }

  async #read(): Promise<void> {
    let free = Buffer.allocUnsafeSlow(slabBytes);
    try {
      while (!this.#over) {
        if (free.length < chunkBytes) free = Buffer.allocUnsafeSlow(slabBytes);
        const count = await readSome(this.#opened, free.subarray(0, chunkBytes), () => this.#over);
        const bytes = free.subarray(0, count);
        free = free.subarray(count);
        if (!this.#over) this.#events.data(bytes);
      }
    } catch (error) {
      this.#lose('is gone: it was unplugged, or the other end closed it', error);
    }
  }

  #lose(why: string, cause?: unknown): void {
    if (this.#over) return;
    void this.close();
    this.#events.lost(new LinkLost(`${this.#path} ${why}`, { cause }));
  }

  async #close(): Promise<void> {
    // What waits for bytes is woken, and has ended before the descriptor is given back: its number may be another file's the moment after.
    if ('poller' in this.#opened) {
      this.#opened.poller.stop();
      await this.#reading;
    }
    // Bytes that nobody takes would hold the kernel up for 30 s.
    await this.#opened.flush().catch(() => {});
    await this.#opened.close().catch(() => {});
  }
}

/**
 * Resolves with at least one byte. serialport's own read (13.0.0) takes the end of a port that hung up with bytes still unread for "nothing
 * yet", and asks again without end: a full core, and an unplugged device that nobody notices.
 */
async function readSome(opened: Opened, buffer: Buffer, isOver: () => boolean): Promise<number> {
  if (!('poller' in opened)) return (await opened.read(buffer, 0, buffer.length)).bytesRead;
  let alarms = 0;
  for (;;) {
    const { fd, poller } = opened;
    // Waiting begins only now: a close before would never wake it.
    if (fd === null || isOver()) throw new Error('closed');
    const alarm = await new Promise<Error | null>((resolve) => void poller.once('readable', resolve));
    if (isOver()) throw new Error('closed');
    // Whoever watches the port takes whatever is odd for its end; a read says what is true of it, and brings what came before the end.
    const count = readNow(fd, buffer);
    if (count > 0) return count;
    if (count === 0) throw new Error('hung up');
    if (alarm && ++alarms >= limits.ttyAlarmsMax) throw alarm;
  }
}

/** Bytes read; 0 at the end; -1 if there is nothing. The descriptor does not block, so this is sooner done than handed to another thread. */
function readNow(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EINTR') return -1;
    throw error;
  }
}

/** Asks the system only for what was asked for: a pty has no lines to set. */
async function setLines(opened: Opened, { dtr, rts, rs485 = 'off' }: TtySettings, clock: Clock): Promise<void> {
  if (dtr === undefined && rts === undefined && rs485 === 'off') return;
  const lines = { ...noBreak, dtr: dtr !== 'off', rts: rs485 === 'off' ? rts !== 'off' : rs485 === 'rts-low' };
  if (dtr === 'pulse') {
    await opened.set({ ...lines, dtr: false });
    await clock.sleep(limits.ttyDtrPulseMs);
  }
  await opened.set(lines);
}

/** Loaded with the first serial port: it is native code, and a machine where it does not load has all its other connections. */
export async function loadBinding(): Promise<typeof SerialPort.binding> {
  try {
    return (await import('serialport')).SerialPort.binding;
  } catch (error) {
    throw new Error(`this installation cannot open serial ports: their native part did not load (${messageOf(error)})`, { cause: error });
  }
}
