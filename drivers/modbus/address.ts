/** Where a value is in a Modbus device and how it lies there: a point's `address`. */
import * as z from 'zod';
import { limits } from '../../src/contract/limits.ts';
import { type AddressFields, addressFields, lastRegister } from './address-fields.ts';
import { type Order, ordersOf } from './order.ts';
import { isBits, parseReference, type Table, tables } from './reference.ts';
import { halfTypes, maskedTypes, registersOf, type Type, wholeTypes } from './types.ts';

/** After the schema: complete, and true to itself. */
export interface Address {
  table: Table;
  /** As the protocol counts, from 0. */
  register: number;
  /** Registers, or bits in a bit table. */
  width: number;
  type: Type;
  order: Order;
  /** Of a register, 0 the least significant; only for type bool in a register table. */
  bit: number | undefined;
  /** Which half of a register: of int8 and uint8 always, of a string if it has one character a register. */
  byte: 'high' | 'low' | undefined;
  /** Which bits of the whole number are the value, moved right by `shift`. */
  field: { mask: bigint; shift: number } | undefined;
  /** Register, in the same table, of the power of ten the value is multiplied with. */
  scaleFactor: number | undefined;
  encoding: 'utf-8' | 'latin1';
  trim: 'end' | 'both' | 'none';
  /** `mask` changes part of a register with function 22, `modify` reads it, changes it and writes it back. */
  writeAs: 'single' | 'multiple' | 'mask' | 'modify';
}

export const addressSchema = addressFields.transform((input, context): Address => {
  let faulty = false;
  const fault = (path: string[], message: string) => {
    faulty = true;
    context.addIssue({ code: 'custom', path, message });
  };

  const place = placeOf(input, fault);
  if (!place) return z.NEVER;
  const bits = isBits(place.table);
  const type = input.type ?? (bits || input.bit !== undefined ? 'bool' : 'uint16');

  if (bits && type !== 'bool') fault(['type'], `is ${type} in table ${place.table}, which holds bits; allowed is bool`);
  if (bits && input.bit !== undefined) fault(['bit'], `is for a bool inside a register; table ${place.table} already holds bits`);
  if (!bits && type === 'bool' && input.bit === undefined)
    fault(['bit'], `is missing; a bool in table ${place.table} needs the bit of its register, 0 (least significant) to 15`);
  if (input.bit !== undefined && type !== 'bool') fault(['bit'], `is given for type ${type}; allowed only for bool`);
  if (type === 'string' && input.length === undefined)
    fault(['length'], `is missing; a string needs its registers, 1 to ${limits.modbusRegistersMax}`);
  if (type !== 'string' && input.length !== undefined) fault(['length'], `is given for type ${type}; allowed only for string`);

  const width = type === 'string' ? (input.length ?? 1) : registersOf[type];
  const allowedOrders = ordersOf(type === 'string' || width === 1 ? 2 : width * 2);
  const order = input.order ?? allowedOrders[0];
  if (bits && input.order !== undefined) fault(['order'], `is ${order} in table ${place.table}; a bit has no byte order`);
  else if (!allowedOrders.includes(order)) fault(['order'], `is ${order} for type ${type}; allowed are ${allowedOrders.join(', ')}`);
  if (input.byte !== undefined && !halfTypes.includes(type))
    fault(['byte'], `is given for type ${type}; allowed only for ${halfTypes.join(', ')}`);
  if (input.byte !== undefined && input.order !== undefined)
    fault(['order'], 'is given together with byte, which already says where in the register it is; allowed is either');
  const field = fieldOf(input, type, width, fault);

  if (place.register + width - 1 > lastRegister) {
    fault(
      [input.reference === undefined ? 'register' : 'reference'],
      `is ${place.register} for ${width} registers; the last register is ${lastRegister}, so allowed is 0 to ${lastRegister + 1 - width}`,
    );
  }
  if (input.scaleFactor !== undefined) {
    if (!wholeTypes.includes(type)) fault(['scaleFactor'], `is given for type ${type}; allowed for ${wholeTypes.join(', ')}`);
    else if (input.scaleFactor >= place.register && input.scaleFactor < place.register + width)
      fault(['scaleFactor'], `is ${input.scaleFactor}, where the value itself is; allowed is another register`);
  }

  const isPart = !bits && (type === 'bool' || type === 'int8' || type === 'uint8' || field !== undefined);
  if (isPart && (input.writeAs === 'single' || input.writeAs === 'multiple'))
    fault(
      ['writeAs'],
      `is ${input.writeAs} for a part of a register; allowed are auto, mask (function 22) and modify (read, change, write back)`,
    );
  if (!isPart && (input.writeAs === 'mask' || input.writeAs === 'modify'))
    fault(['writeAs'], `is ${input.writeAs}, which is for a bit, a byte or a mask of a register; allowed are auto, single and multiple`);
  if (isPart && input.writeAs === 'mask' && width > 1)
    fault(['writeAs'], `is mask for ${width} registers, which function 22 cannot change together; allowed are auto and modify`);
  if (input.writeAs === 'single' && width > 1)
    fault(['writeAs'], `is single for ${width} registers, which function 6 cannot write together; allowed are auto and multiple`);
  if (faulty) return z.NEVER;

  const whole = width === 1 ? 'single' : 'multiple';
  const part = width === 1 ? 'mask' : 'modify';
  const byte = input.byte ?? (type === 'int8' || type === 'uint8' ? 'low' : undefined);
  const { bit, scaleFactor, encoding, trim } = input;
  const writeAs = input.writeAs !== 'auto' ? input.writeAs : isPart ? part : whole;
  return { ...place, width, type, order, bit, byte, field, scaleFactor, encoding, trim, writeAs };
});

function fieldOf(input: AddressFields, type: Type, width: number, fault: (path: string[], message: string) => void): Address['field'] {
  if (input.mask === undefined) {
    if (input.shift !== undefined) fault(['shift'], 'is given without mask; allowed only with one');
    return undefined;
  }
  if (!maskedTypes.includes(type)) {
    fault(['mask'], `is given for type ${type}; allowed for ${maskedTypes.join(', ')}`);
    return undefined;
  }
  const mask = BigInt(input.mask);
  if (mask === 0n || mask >> BigInt(width * 16) !== 0n) {
    fault(['mask'], `is ${input.mask}; allowed for ${type} is 0x1 to 0x${'f'.repeat(width * 4)}`);
    return undefined;
  }
  let lowest = 0;
  while (((mask >> BigInt(lowest)) & 1n) === 0n) lowest += 1;
  const shift = input.shift ?? lowest;
  if (shift > lowest) {
    fault(['shift'], `is ${shift}, which would push bits of the mask out; allowed is 0 to ${lowest}`);
    return undefined;
  }
  return { mask, shift };
}

function placeOf(input: AddressFields, fault: (path: string[], message: string) => void): { table: Table; register: number } | undefined {
  if (input.reference === undefined) {
    if (input.table === undefined) fault(['table'], `is missing; allowed are ${tables.join(', ')}, or a reference such as 40021`);
    if (input.register === undefined) fault(['register'], `is missing; allowed is 0 to ${lastRegister}, or a reference such as 40021`);
    return input.table === undefined || input.register === undefined ? undefined : { table: input.table, register: input.register };
  }
  if (input.table !== undefined || input.register !== undefined) {
    fault(['reference'], 'is given together with table or register; allowed is either');
    return undefined;
  }
  const place = parseReference(input.reference);
  if (!place)
    fault(
      ['reference'],
      `is ${JSON.stringify(input.reference)}; allowed are five or six digits such as 40021 or 400021 (first digit 0 coil, 1 discrete, 3 input, 4 holding; the rest from 1)`,
    );
  return place;
}
