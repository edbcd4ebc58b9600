/** What a person may choose for a probe and for a scan. */
import * as z from 'zod';
import { limits } from '../../src/contract/limits.ts';
import { lastRegister } from './address-fields.ts';
import { tables } from './reference.ts';

const unitIdSchema = z.int().min(0).max(255);
const registerSchema = z.int().min(0).max(lastRegister);

export const probeSchema = z.strictObject({
  unitId: unitIdSchema.default(1).describe('The unit that is asked'),
  table: z.enum(['holding', 'input']).default('holding').describe('Where the value is'),
  register: registerSchema
    .describe('The number the manual gives, without a leading 3 or 4: it is tried counted from 0 and from 1')
    .meta({ examples: [30] }),
  count: z
    .int()
    .min(1)
    .max(limits.modbusProbeRegistersMax)
    .default(8)
    .describe('Registers that are read; neighbours of the same type make the guess surer'),
  expect: z
    .number()
    .optional()
    .describe('What the value is about, from the display of the device, if you can see it: then scales are tried too')
    .meta({ examples: [230.4] }),
});
export type ProbeOptions = z.output<typeof probeSchema>;

const range = (first: z.ZodType<number>, name: string) =>
  z
    .strictObject({
      first: first.describe(`The first ${name}`).meta({ examples: [1] }),
      last: first.describe(`The last ${name}`).meta({ examples: [20] }),
    })
    .refine((chosen) => chosen.first <= chosen.last, { path: ['last'], message: 'is below first; allowed is first or more' });

export const scanSchema = z.strictObject({
  units: range(unitIdSchema, 'unit id').prefault({ first: 1, last: 247 }).describe('Who is asked; a silent unit costs one timeout'),
  tables: z.array(z.enum(tables)).min(1).max(4).default(['holding', 'input']).describe('Where is looked'),
  addresses: range(registerSchema, 'register or bit')
    .prefault({ first: 0, last: 199 })
    .describe(
      'What is looked at in each table of each unit that answers, counted from 0. Reading registers that reading clears is your risk',
    ),
  ranges: z.boolean().default(true).describe('False: only who answers'),
  sunspec: z
    .boolean()
    .default(true)
    .describe(
      'Looks for SunSpec, which inverters, meters and batteries have: then the models say what is there, and no ranges are looked through',
    ),
  requestsMax: z.int().min(1).max(100_000).default(2_000).describe('After so many requests it ends, whatever is left'),
});
export type ScanOptions = z.output<typeof scanSchema>;
