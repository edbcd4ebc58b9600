/** A port of a device server that is set over the network: Telnet (RFC 854, 855) with the COM port control option (RFC 2217). */
import type { Clock } from '../../src/contract/clock.ts';
import { limits } from '../../src/contract/limits.ts';
import type { PortEvents, Stream } from './port-stream.ts';
import { settingsText, type TtySettings } from './settings.ts';
import { openSocket } from './socket.ts';
import { command, option, Telnet, telnetData } from './telnet.ts';

/** RFC 2217 §3: client to access server; the server answers with 100 added. */
const ask = { baudRate: 1, dataSize: 2, parity: 3, stopSize: 4, control: 5, purge: 12 } as const;
const answered = 100;
const parities = { none: 1, odd: 2, even: 3 } as const;
const flows = { none: 1, software: 2, hardware: 3 } as const;
const [dtrOn, dtrOff, rtsOn, rtsOff] = [8, 9, 11, 12] as const;
const purgeReceived = 1;

/** Rejects if the other end does not speak RFC 2217, or does not set the line as it is asked to. */
export async function openRfc2217(settings: TtySettings, events: PortEvents, clock: Clock): Promise<Stream> {
  const { path } = settings;
  let agreed: (yes: boolean) => void = () => {};
  const waiting = new Map<number, (value: Buffer) => void>();
  let lost: (error: Error) => void = () => {};
  let isOpen = false;
  const telnet = new Telnet({
    data: (bytes) => events.data(bytes),
    option(verb, code) {
      if (code === option.comPort && (verb === command.do || verb === command.dont)) agreed(verb === command.do);
      return code === option.binary || code === option.suppressGoAhead || (code === option.comPort && verb === command.do);
    },
    subnegotiation(code, body) {
      if (code === option.comPort && body.length > 0) waiting.get(body.readUInt8(0))?.(body.subarray(1));
    },
    send: (bytes) => void socket.write(bytes),
  });
  const early: Buffer[] = [];
  let take = (bytes: Buffer): void => void early.push(bytes);
  const told: PortEvents = {
    data: (bytes) => take(bytes),
    lost(error) {
      if (isOpen) events.lost(error);
      else lost(error);
    },
  };
  const socket = await openSocket(path, told, clock);
  take = (bytes) => telnet.push(bytes);
  for (const bytes of early) take(bytes);

  /** Rejects if it is not answered in time, or the connection ends. */
  const within = <T>(what: string, begin: (done: (value: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(limits.rfc2217AnswerMs, () => reject(new Error(`${path}: ${what}`)));
      lost = (error) => {
        cancel();
        reject(error);
      };
      begin((value) => {
        cancel();
        resolve(value);
      });
    });
  const set = async (what: string, code: number, value: Buffer): Promise<void> => {
    const got = await within<Buffer>(`the device server did not answer when ${what} was set`, (done) => {
      waiting.set(code + answered, done);
      void socket.write(telnetData.subnegotiation(option.comPort, Buffer.concat([Buffer.from([code]), value])));
    });
    waiting.delete(code + answered);
    if (!got.equals(value))
      throw new Error(
        `${path}: the device server does not take ${what}; it is asked for ${settingsText(settings)}, and says ${got.toString('hex')}`,
      );
  };
  const control = (what: string, value: number) => set(what, ask.control, Buffer.from([value]));

  try {
    const isAgreed = await within<boolean>(
      'the other end does not speak RFC 2217; tcp:// is for device servers that carry bytes alone',
      (done) => {
        agreed = done;
        for (const code of [option.binary, option.suppressGoAhead]) {
          void socket.write(telnetData.verb(command.will, code));
          void socket.write(telnetData.verb(command.do, code));
        }
        void socket.write(telnetData.verb(command.will, option.comPort));
      },
    );
    if (!isAgreed) throw new Error(`${path}: the device server refuses RFC 2217; it has to be switched on there, or tcp:// be used`);
    const baud = Buffer.alloc(4);
    baud.writeUInt32BE(settings.baudRate);
    await set(`${settings.baudRate} baud`, ask.baudRate, baud);
    await set(`${settings.dataBits} data bits`, ask.dataSize, Buffer.from([settings.dataBits]));
    await set(`parity ${settings.parity}`, ask.parity, Buffer.from([parities[settings.parity]]));
    await set(`${settings.stopBits} stop bits`, ask.stopSize, Buffer.from([settings.stopBits]));
    await control(`flow control ${settings.flowControl}`, flows[settings.flowControl]);
    if (settings.dtr === 'pulse') {
      await control('DTR off', dtrOff);
      await clock.sleep(limits.ttyDtrPulseMs);
    }
    if (settings.dtr) await control(`DTR ${settings.dtr}`, settings.dtr === 'off' ? dtrOff : dtrOn);
    if (settings.rts) await control(`RTS ${settings.rts}`, settings.rts === 'off' ? rtsOff : rtsOn);
    isOpen = true;
  } catch (error) {
    await socket.close();
    throw error;
  }
  return {
    write: (bytes) => socket.write(telnetData.escape(bytes)),
    discard: () => socket.write(telnetData.subnegotiation(option.comPort, Buffer.from([ask.purge, purgeReceived]))),
    close: () => socket.close(),
  };
}
