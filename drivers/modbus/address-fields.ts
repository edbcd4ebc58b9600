/** A point's `address` as it is written in settings, field by field; what they mean together is in `address.ts`. */
import * as z from 'zod';
import { limits } from '../../src/contract/limits.ts';
import { orders } from './order.ts';
import { tables } from './reference.ts';
import { types } from './types.ts';

export const lastRegister = 65_535;

export const addressFields = z.strictObject({
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
    .describe('Registers of a string, two characters each (one with byte)')
    .meta({ examples: [8] }),
  bit: z
    .int()
    .min(0)
    .max(15)
    .optional()
    .describe('For a bool inside a register: 0 is the least significant bit')
    .meta({ examples: [3] }),
  byte: z
    .enum(['high', 'low'])
    .optional()
    .describe('For int8 and uint8: which half of the register, low unless said. For a string with one character a register: where it is')
    .meta({ examples: ['high'] }),
  mask: z
    .union([z.int().min(1), z.string().regex(/^0x[0-9a-fA-F]{1,16}$/)], {
      error: 'allowed is a whole number from 1, or hexadecimal digits such as "0x0ff0"',
    })
    .optional()
    .describe('For uint16, uint32 and uint64: the bits of the number that are the value')
    .meta({ examples: ['0x0ff0'] }),
  shift: z
    .int()
    .min(0)
    .max(63)
    .optional()
    .describe('With mask: how far its bits are moved to the right; to the lowest bit of the mask unless said')
    .meta({ examples: [4] }),
  scaleFactor: z
    .int()
    .min(0)
    .max(lastRegister)
    .optional()
    .describe(
      'Register, in the same table and counted from 0, that holds a power of ten (int16) the value is multiplied with, as in SunSpec; read together with the value. Its -32768 means that there is no value',
    )
    .meta({ examples: [40075] }),
  encoding: z.enum(['utf-8', 'latin1']).default('utf-8').describe('Of a string'),
  trim: z.enum(['end', 'both', 'none']).default('end').describe('Of a string, which ends at its first NUL: where blanks are taken off'),
  writeAs: z
    .enum(['auto', 'single', 'multiple', 'mask', 'modify'])
    .default('auto')
    .describe(
      'Function code of writes: single is 5 or 6, multiple is 15 or 16; auto takes single where the value fits, but some devices know only one. Part of a register (a bit, a byte, a mask) is changed with mask, which is function 22, or for devices without it with modify: read, change, write back, which can undo what the device or another master does in between',
    ),
});
export type AddressFields = z.output<typeof addressFields>;
