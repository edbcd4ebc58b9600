/** A raw value → the one request that writes it. */
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import type { Done } from './client.ts';
import { encodeBit, encodeRegisters } from './encode.ts';

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
}

/** Throws a `RangeError` if the value does not fit or the table cannot be written. */
export function writeRequest(unitId: number, address: Address, value: Value): WriteRequest {
  const { table, register, width } = address;
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
  if (address.type === 'bool') return writeBit(unitId, address, encodeBit(value));
  const bytes = encodeRegisters(address, value);
  if (address.writeAs === 'single') {
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
function writeBit(unitId: number, { register, bit = 0, order }: Address, state: boolean): WriteRequest {
  const mask = 1 << (order === 'BA' ? bit ^ 8 : bit);
  const andMask = 0xffff & ~mask;
  const orMask = state ? mask : 0;
  return {
    send: (library, done) => library.writeFC22(unitId, register, andMask, orMask, done),
    confirms: (echo) => echo.address === register && echo.andMask === andMask && echo.orMask === orMask,
  };
}
