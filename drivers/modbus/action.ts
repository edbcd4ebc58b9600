/** A named action of a device: places that are written, one after the other, with a constant or with what is given. */
import * as z from 'zod';
import type { ActionConfig } from '../../src/contract/device.ts';
import type { Answer } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { parametersSchema, valuesOf } from '../../src/contract/parameters.ts';
import type { Value } from '../../src/contract/sample.ts';
import { type Address, addressSchema } from './address.ts';
import { encodePart } from './encode.ts';
import { isWritable } from './reference.ts';
import type { DeviceOptions } from './settings.ts';
import { writeRequest } from './write.ts';
import type { Writer } from './writer.ts';

const stepSchema = z
  .strictObject({
    address: addressSchema.describe('Where is written, in the words of a point: a coil, or holding registers'),
    value: z
      .union([z.number(), z.boolean(), z.string().max(256)])
      .optional()
      .describe('The raw value that is written')
      .meta({ examples: [1] }),
    parameter: z
      .string()
      .max(64)
      .optional()
      .describe('Or the name of the parameter whose value is written')
      .meta({ examples: ['seconds'] }),
  })
  .superRefine(({ address, value, parameter }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((value === undefined) === (parameter === undefined))
      fault(
        'value',
        value === undefined ? 'is missing; allowed is a value, or a parameter' : 'is given together with parameter; allowed is either',
      );
    if (!isWritable(address.table)) fault('address', `is in table ${address.table}, which can only be read; allowed are coil and holding`);
  });

export const modbusActionSchema = z
  .strictObject({
    write: z
      .array(stepSchema)
      .min(1)
      .max(limits.modbusActionWritesMax)
      .describe('What is written, in this order; it ends at the first that the device refuses')
      .meta({ examples: [[{ address: { table: 'holding', register: 61457, type: 'uint16' }, value: 3 }]] }),
    parameters: parametersSchema
      .describe('What may be given for the values of write')
      .meta({ examples: [{ seconds: { type: 'integer', min: 1, max: 600 } }] }),
  })
  .superRefine(({ write, parameters }, context) => {
    for (const [index, { parameter }] of write.entries()) {
      if (parameter === undefined || Object.hasOwn(parameters, parameter)) continue;
      const names = Object.keys(parameters);
      const message = `is ${JSON.stringify(parameter)}, and there is no such parameter; ${names.length === 0 ? 'there are none' : `allowed are ${names.join(', ')}`}`;
      context.addIssue({ code: 'custom', path: ['write', index, 'parameter'], message });
    }
  });
export type ModbusAction = z.output<typeof modbusActionSchema>;

/** An action that passed the schema, as it comes back from the host. */
export const actionOf = (action: ActionConfig): ModbusAction => action as unknown as ModbusAction;

/** Writes one place after the other; nothing is sent if one of the values cannot be. Never rejects. */
export async function act(
  writer: Writer,
  device: DeviceOptions,
  { write, parameters }: ModbusAction,
  given: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Answer> {
  let steps: { address: Address; value: Value }[];
  try {
    const values = valuesOf(parameters, given);
    steps = write.map(({ address, value, parameter }) => ({
      address,
      value: parameter === undefined ? (value ?? null) : (values[parameter] ?? null),
    }));
    // With a scale factor it is known only when that has been read.
    for (const { address, value } of steps) if (address.scaleFactor === undefined) fits(address, value);
  } catch (error) {
    return { state: 'not-sent', detail: messageOf(error) };
  }
  let answer: Answer = { state: 'not-sent', detail: 'there is nothing to write' };
  for (const [done, { address, value }] of steps.entries()) {
    answer = await writer.write(device, address, value, signal);
    if (answer.state === 'acknowledged') continue;
    // Refused would say that nothing was changed.
    const detail = `${done} of ${steps.length} writes were done, the next was not: ${answer.detail}`;
    return done === 0 ? answer : { state: 'unknown', detail };
  }
  return answer;
}

/** Throws a `RangeError` if it does not. */
function fits(address: Address, value: Value): void {
  if (address.writeAs === 'modify') encodePart(address, value);
  else writeRequest(0, address, value);
}
