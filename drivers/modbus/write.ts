/** A raw value → the one request that writes it. */
import type { Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import { answerShape, begins } from './answer-shape.ts';
import { encodeBit, encodePart, encodeRegisters } from './encode.ts';
import { arrange, straighten } from './order.ts';
import { maskRequest, writeCoilRequest, writeCoilsRequest, writeRegisterRequest, writeRegistersRequest } from './pdu.ts';

export interface WriteRequest {
  /** Unit and PDU. */
  bytes: Buffer;
  /** What to do for a device that does not know the function. */
  hint?: string;
}

/** Whether the answer (function code and data) is the echo of that write. */
export function confirms({ bytes }: WriteRequest, answer: Buffer): boolean {
  const shape = answerShape(bytes);
  return answer.length === shape.bytes - 1 && begins(Buffer.concat([bytes.subarray(0, 1), answer]), shape);
}

/** Throws a `RangeError` if the value does not fit or the table cannot be written. Not for `writeAs` modify, which needs the registers first. */
export function writeRequest(unitId: number, address: Address, value: Value): WriteRequest {
  const { table, register } = address;
  if (table === 'coil') {
    const isOn = encodeBit(value);
    return { bytes: address.writeAs === 'multiple' ? writeCoilsRequest(unitId, register, isOn) : writeCoilRequest(unitId, register, isOn) };
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
  const isOne = writeAs === 'single' || (writeAs === 'modify' && width === 1);
  return {
    bytes: isOne ? writeRegisterRequest(unitId, register, bytes.readUInt16BE(0)) : writeRegistersRequest(unitId, register, bytes),
  };
}

/** With a mask (function 22, §6.16): reading the register, changing it and writing it back could undo what the device does in between. */
function writeMask(unitId: number, address: Address, value: Value): WriteRequest {
  const part = encodePart(address, value);
  const onWire = (bits: bigint) => (address.order === 'BA' ? Number(((bits & 0xffn) << 8n) | (bits >> 8n)) : Number(bits));
  const andMask = 0xffff & ~onWire(part.mask);
  const orMask = onWire(part.bits);
  return {
    bytes: maskRequest(unitId, address.register, andMask, orMask),
    hint: 'it does not know function 22: set writeAs of the address to "modify"',
  };
}
