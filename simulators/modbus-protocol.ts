/**
 * The device's side of Modbus (Application Protocol V1.1b3 §6): a request PDU in, an answer PDU out. Pure.
 * Shares nothing with the gateway's driver, so that a mistake in one cannot agree with itself in the other.
 */

export const exceptions = { illegalFunction: 1, illegalAddress: 2, illegalValue: 3, targetSilent: 11 } as const;

/** What a device has at its addresses, counted from 0, at one moment: the registers of one value belong together. A missing one it does not have. */
export interface Tables {
  coil: ReadonlyMap<number, boolean>;
  discrete: ReadonlyMap<number, boolean>;
  /** 0 to 65535. */
  input: ReadonlyMap<number, number>;
  holding: ReadonlyMap<number, number>;
}

export interface Unit {
  now(): Tables;
  /** Sets neighbouring coils, all or none; returns an exception code to refuse. */
  setCoils(address: number, values: readonly boolean[]): number | undefined;
  setHolding(address: number, values: readonly number[]): number | undefined;
}

class Refusal extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exception ${code}`);
    this.code = code;
  }
}

/** `pdu` is function code and data; so is the answer, exceptions included. Never throws. */
export function answer(pdu: Buffer, unit: Unit): Buffer {
  const code = pdu[0] ?? 0;
  try {
    return handle(code, pdu, unit);
  } catch (error) {
    // A request shorter than its function needs ends in a RangeError of Buffer: illegal data value (§7).
    return Buffer.from([code | 0x80, error instanceof Refusal ? error.code : exceptions.illegalValue]);
  }
}

function handle(code: number, pdu: Buffer, unit: Unit): Buffer {
  switch (code) {
    case 1:
      return readBits(pdu, unit.now().coil);
    case 2:
      return readBits(pdu, unit.now().discrete);
    case 3:
      return readRegisters(pdu, unit.now().holding);
    case 4:
      return readRegisters(pdu, unit.now().input);
    case 5: {
      const state = pdu.readUInt16BE(3);
      if (state !== 0xff00 && state !== 0) throw new Refusal(exceptions.illegalValue);
      refuse(unit.setCoils(pdu.readUInt16BE(1), [state !== 0]));
      return pdu.subarray(0, 5);
    }
    case 6:
      refuse(unit.setHolding(pdu.readUInt16BE(1), [pdu.readUInt16BE(3)]));
      return pdu.subarray(0, 5);
    case 15: {
      const { address, count, data } = writtenBlock(pdu, 1968, (bits) => Math.ceil(bits / 8));
      const bits = Array.from({ length: count }, (_, index) => ((data.readUInt8(index >> 3) >> (index & 7)) & 1) === 1);
      refuse(unit.setCoils(address, bits));
      return pdu.subarray(0, 5);
    }
    case 16: {
      const { address, count, data } = writtenBlock(pdu, 123, (registers) => registers * 2);
      const words = Array.from({ length: count }, (_, index) => data.readUInt16BE(index * 2));
      refuse(unit.setHolding(address, words));
      return pdu.subarray(0, 5);
    }
    case 22: {
      const address = pdu.readUInt16BE(1);
      const [andMask, orMask] = [pdu.readUInt16BE(3), pdu.readUInt16BE(5)];
      const now = unit.now().holding.get(address);
      if (now === undefined) throw new Refusal(exceptions.illegalAddress);
      refuse(unit.setHolding(address, [(now & andMask) | (orMask & ~andMask & 0xffff)]));
      return pdu.subarray(0, 7);
    }
    default:
      throw new Refusal(exceptions.illegalFunction);
  }
}

function readBits(pdu: Buffer, table: ReadonlyMap<number, boolean>): Buffer {
  const { address, count } = asked(pdu, 2_000);
  const bytes = Buffer.alloc(Math.ceil(count / 8));
  for (let index = 0; index < count; index++) {
    const bit = table.get(address + index);
    if (bit === undefined) throw new Refusal(exceptions.illegalAddress);
    if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return Buffer.concat([Buffer.from([pdu.readUInt8(0), bytes.length]), bytes]);
}

function readRegisters(pdu: Buffer, table: ReadonlyMap<number, number>): Buffer {
  const { address, count } = asked(pdu, 125);
  const bytes = Buffer.alloc(count * 2);
  for (let index = 0; index < count; index++) {
    const register = table.get(address + index);
    if (register === undefined) throw new Refusal(exceptions.illegalAddress);
    bytes.writeUInt16BE(register, index * 2);
  }
  return Buffer.concat([Buffer.from([pdu.readUInt8(0), bytes.length]), bytes]);
}

function asked(pdu: Buffer, countMax: number): { address: number; count: number } {
  const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)];
  if (count < 1 || count > countMax) throw new Refusal(exceptions.illegalValue);
  return { address, count };
}

function writtenBlock(pdu: Buffer, countMax: number, bytesOf: (count: number) => number): { address: number; count: number; data: Buffer } {
  const { address, count } = asked(pdu, countMax);
  const data = pdu.subarray(6);
  if (pdu.readUInt8(5) !== bytesOf(count) || data.length !== bytesOf(count)) throw new Refusal(exceptions.illegalValue);
  return { address, count, data };
}

function refuse(code: number | undefined): void {
  if (code !== undefined) throw new Refusal(code);
}
