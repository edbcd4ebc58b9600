/** A raw value → the one request that writes it. */
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import type { Done } from './client.ts';
import { encodeBit, encodePart, encodeRegisters } from './encode.ts';
import { arrange, straighten } from './order.ts';

/** What the functions 5, 6, 15, 16 and 22 answer, each its part. */
interface Echo {
  address: number;
  state?: boolean;
  value?: number;
  length?: number;
  andMask?: number;
  orMask?: number;
}

export interface WriteRequest {
  send(library: ModbusRTU, done: Done<Echo>): void;
  /** Whether the device's echo is the one to this request. */
  confirms(echo: Echo): boolean;
  /** What to do for a device that does not know the function. */
  hint?: string;
}

/** Throws a `RangeError` if the value does not fit or the table cannot be written. Not for `writeAs` modify, which needs the registers first. */
export function writeRequest(unitId: number, address: Address, value: Value): WriteRequest {
  const { table, register } = address;
  if (table === 'coil') {
    const state = encodeBit(value);
    if (address.writeAs === 'multiple') {
      return {
        send: (library, done) => library.writeFC15(unitId, register, [state], done),
        confirms: (echo) => echo.address === register && echo.length === 1,
      };
    }
    return {
      send: (library, done) => library.writeFC5(unitId, register, state, done),
      confirms: (echo) => echo.address === register && echo.state === state,
    };
  }
  if (table !== 'holding') throw new RangeError(`table ${table} can only be read`);
  if (address.writeAs === 'mask') return writeMask(unitId, address, value);
  return writeRegisters(unitId, address, encodeRegisters(address, value));
}

/** The registers of a place as they were read, with the part that is the point's changed: `bytes` as they go over the wire. */
export function modified(address: Address, wire: Buffer, value: Value): Buffer {
  const { mask, bits } = encodePart(address, value);
  const before = BigInt(`0x${straighten(wire, 0, address.order).toString('hex')}`);
  const after = (before & ~mask) | bits;
  return arrange(Buffer.from(after.toString(16).padStart(address.width * 4, '0'), 'hex'), address.order);
}

/** `bytes` are the registers of the place as they go over the wire. */
export function writeRegisters(unitId: number, { register, width, writeAs }: Address, bytes: Buffer): WriteRequest {
  if (writeAs === 'single' || (writeAs === 'modify' && width === 1)) {
    const word = bytes.readUInt16BE(0);
    return {
      send: (library, done) => library.writeFC6(unitId, register, word, done),
      confirms: (echo) => echo.address === register && echo.value === word,
    };
  }
  const words = Array.from({ length: width }, (_, index) => bytes.readUInt16BE(index * 2));
  return {
    send: (library, done) => library.writeFC16(unitId, register, words, done),
    confirms: (echo) => echo.address === register && echo.length === width,
  };
}

/** With a mask (function 22, §6.16): reading the register, changing it and writing it back could undo what the device does in between. */
function writeMask(unitId: number, address: Address, value: Value): WriteRequest {
  const part = encodePart(address, value);
  const onWire = (bits: bigint) => (address.order === 'BA' ? Number(((bits & 0xffn) << 8n) | (bits >> 8n)) : Number(bits));
  const andMask = 0xffff & ~onWire(part.mask);
  const orMask = onWire(part.bits);
  const { register } = address;
  return {
    send: (library, done) => library.writeFC22(unitId, register, andMask, orMask, done),
    confirms: (echo) => echo.address === register && echo.andMask === andMask && echo.orMask === orMask,
    hint: 'it does not know function 22: set writeAs of the address to "modify"',
  };
}
