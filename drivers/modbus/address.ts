/** Where a value is in a Modbus device and how it lies there: a point's `address`. */
import { z } from 'zod';
import { limits } from '../../src/contract/limits.ts';
import { type Order, orders, ordersOf } from './order.ts';
import { parseReference, type Table, tables } from './reference.ts';

export const types = ['bool', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64', 'string'] as const;
export type Type = (typeof types)[number];

/** Registers a value takes; a string says so itself, a bool in a bit table takes one bit. */
const registersOf: Record<Exclude<Type, 'string'>, number> = {
  bool: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
};

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
  encoding: 'utf-8' | 'latin1';
  writeAs: 'single' | 'multiple';
}

export const lastRegister = 65_535;

const fields = z.strictObject({
  table: z
    .enum(tables)
    .optional()
    .describe('coil and discrete hold bits, input and holding hold 16-bit registers; coil and holding can be written'),
  register: z
    .int()
    .min(0)
    .max(lastRegister)
    .optional()
    .describe('Counted from 0, as the protocol does: what manuals write as 40001 is holding 0')
    .meta({ examples: [30] }),
  reference: z
    .union([z.int(), z.string()])
    .optional()
    .meta({ examples: [40021, 400021, '00004'] })
    .describe(
      'The way of many manuals, instead of table and register: 0xxxx coil, 1xxxx discrete, 3xxxx input, 4xxxx holding, five or six digits, counted from 1',
    ),
  type: z.enum(types).optional().describe('bool in bit tables, uint16 in register tables unless said'),
  order: z
    .enum(orders)
    .optional()
    .describe('Bytes as they come over the wire, A the most significant: ABCD is the usual one, CDAB has the low register first'),
  length: z
    .int()
    .min(1)
    .max(limits.modbusRegistersMax)
    .optional()
    .describe('Registers of a string, two characters each')
    .meta({ examples: [8] }),
  bit: z
    .int()
    .min(0)
    .max(15)
    .optional()
    .describe('For a bool inside a register: 0 is the least significant bit')
    .meta({ examples: [3] }),
  encoding: z.enum(['utf-8', 'latin1']).default('utf-8').describe('Of a string'),
  writeAs: z
    .enum(['auto', 'single', 'multiple'])
    .default('auto')
    .describe(
      'Function code of writes: single is 5 or 6, multiple is 15 or 16; auto takes single where the value fits, but some devices know only one',
    ),
});

export const addressSchema = fields.transform((input, context): Address => {
  let faulty = false;
  const fault = (path: string[], message: string) => {
    faulty = true;
    context.addIssue({ code: 'custom', path, message });
  };

  const place = placeOf(input, fault);
  if (!place) return z.NEVER;
  const bits = place.table === 'coil' || place.table === 'discrete';
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
  const allowedOrders = ordersOf(type === 'string' ? 2 : width * 2);
  const order = input.order ?? allowedOrders[0];
  if (bits && input.order !== undefined) fault(['order'], `is ${order} in table ${place.table}; a bit has no byte order`);
  else if (!allowedOrders.includes(order)) fault(['order'], `is ${order} for type ${type}; allowed are ${allowedOrders.join(', ')}`);

  if (place.register + width - 1 > lastRegister) {
    fault(
      [input.reference === undefined ? 'register' : 'reference'],
      `is ${place.register} for ${width} registers; the last register is ${lastRegister}, so allowed is 0 to ${lastRegister + 1 - width}`,
    );
  }
  if (input.writeAs !== 'auto' && type === 'bool' && !bits)
    fault(['writeAs'], 'is given for a bit of a register, which is written with function 22; allowed is auto');
  if (input.writeAs === 'single' && width > 1)
    fault(['writeAs'], `is single for ${width} registers, which function 6 cannot write together; allowed are auto and multiple`);
  if (faulty) return z.NEVER;

  const writeAs = input.writeAs === 'auto' ? (width === 1 ? 'single' : 'multiple') : input.writeAs;
  return { ...place, width, type, order, bit: input.bit, encoding: input.encoding, writeAs };
});

function placeOf(
  input: z.output<typeof fields>,
  fault: (path: string[], message: string) => void,
): { table: Table; register: number } | undefined {
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
