/** How a serial port is set: what both ends of the cable have to agree on. */
export interface TtySettings {
  path: string;
  baudRate: number;
  dataBits: 5 | 6 | 7 | 8;
  parity: 'none' | 'even' | 'odd';
  stopBits: 1 | 2;
  /** `hardware` is RTS/CTS, `software` XON/XOFF. */
  flowControl: 'none' | 'hardware' | 'software';
  /** The lines after opening; as the system does it unless said. `pulse` drops DTR for a moment. */
  dtr?: 'on' | 'off' | 'pulse';
  rts?: 'on' | 'off';
  /** Whether DTR drops when the port is closed: true unless said. */
  hangUp?: boolean;
  /** What RTS is while sending, for adapters whose direction it switches. */
  rs485?: 'off' | 'rts-high' | 'rts-low';
}

/** `19200 baud 8E1`, the way people say it. */
export function settingsText({
  baudRate,
  dataBits,
  parity,
  stopBits,
  flowControl,
  dtr,
  rts,
  hangUp = true,
  rs485 = 'off',
}: TtySettings): string {
  const flow = flowControl === 'none' ? '' : ` with ${flowControl} flow control`;
  const lines = [
    dtr && `DTR ${dtr}`,
    rts && `RTS ${rts}`,
    hangUp ? undefined : 'no hang-up',
    rs485 === 'off' ? undefined : `RS-485 ${rs485}`,
  ];
  const extra = lines.filter((one) => one !== undefined).map((one) => `, ${one}`);
  return `${baudRate} baud ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}${flow}${extra.join('')}`;
}

/** Milliseconds that so many bytes take on the wire: each has a start bit, its data, parity and stop bits. */
export function wireMs({ baudRate, dataBits, parity, stopBits }: TtySettings, bytes: number): number {
  const bits = 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits;
  return (bytes * bits * 1_000) / baudRate;
}

/** A device server with nothing but bytes: nobody sets its line. */
export function isTcp(path: string): boolean {
  return path.startsWith('tcp://');
}

/** Behind a device server, with or without RFC 2217. */
export function isNetwork(path: string): boolean {
  return isTcp(path) || path.startsWith('rfc2217://');
}
