/** How a serial port is set: what both ends of the cable have to agree on. */
export interface TtySettings {
  path: string;
  baudRate: number;
  dataBits: 5 | 6 | 7 | 8;
  parity: 'none' | 'even' | 'odd';
  stopBits: 1 | 2;
  /** `hardware` is RTS/CTS, `software` XON/XOFF. */
  flowControl: 'none' | 'hardware' | 'software';
}

/** `19200 baud 8E1`, the way people say it. */
export function settingsText({ baudRate, dataBits, parity, stopBits, flowControl }: TtySettings): string {
  const flow = flowControl === 'none' ? '' : ` with ${flowControl} flow control`;
  return `${baudRate} baud ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}${flow}`;
}

/** Milliseconds that so many bytes take on the wire: each has a start bit, its data, parity and stop bits. */
export function wireMs({ baudRate, dataBits, parity, stopBits }: TtySettings, bytes: number): number {
  const bits = 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits;
  return (bytes * bits * 1_000) / baudRate;
}
