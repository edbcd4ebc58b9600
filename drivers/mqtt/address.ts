/** A point's place in MQTT: the topic that tells it, where in the message it is, and the topic that sets it. */
import { z } from 'zod';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Values } from '../../src/contract/placeholders.ts';
import { parsePath } from './path.ts';
import { compileTemplate } from './template.ts';
import { compilePattern, fillTopic, parseTopic } from './topic.ts';

/** A text that `read` takes without throwing; its message becomes the fault's. */
function checkedText(read: (text: string) => unknown) {
  return z.string().superRefine((text, context) => {
    try {
      read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
    }
  });
}

const setTopicSchema = checkedText(parseTopic);
const topicSchema = checkedText((text) => compilePattern(parseTopic(text)));
const pathSchema = checkedText(parsePath);
const qosSchema = z.union([z.literal(0), z.literal(1), z.literal(2)], {
  error: 'allowed is 0 (at most once), 1 (at least once) or 2 (exactly once)',
});

const setSchema = z.strictObject({
  topic: setTopicSchema.describe('The topic a command is published to').meta({ examples: ['home/kitchen/light/set'] }),
  payload: checkedText((text) => {
    if (Buffer.byteLength(text) > limits.payloadBytesMax) throw new Error(`is longer than ${limits.payloadBytesMax} bytes`);
    compileTemplate(text);
  })
    .default('{value}')
    .describe('{value} is the value, {{ a literal brace; JSON stays JSON whatever the value'),
  qos: qosSchema.default(1).describe('From 1 on the broker confirms; with MQTT 5 it also says when it refuses'),
  retain: z.boolean().default(false).describe('The broker keeps the command for whoever subscribes later: rarely what is wanted'),
});

export const addressSchema = z
  .strictObject({
    topic: topicSchema
      .optional()
      .describe('The topic that tells the value')
      .meta({ examples: ['home/kitchen/climate'] }),
    path: pathSchema
      .optional()
      .describe('Where the value is in a JSON message: $.temperature, $.sensors[0].value, $["outside air"]')
      .meta({ examples: ['$.temperature'] }),
    format: z
      .enum(['json', 'text', 'number'], { error: 'allowed is "json", "text" or "number"' })
      .optional()
      .describe('What a message is: json if a path is given, else number; text keeps the payload as it is'),
    time: pathSchema
      .optional()
      .describe('Where the time of the device is in a JSON message: ISO 8601, or s, ms, µs, ns since 1970')
      .meta({ examples: ['$.ts'] }),
    optional: z
      .boolean()
      .default(false)
      .describe('True: a message without this path says nothing about the point; false: it is a bad reading'),
    qos: qosSchema.default(0).describe('The quality of service asked from the broker'),
    set: setSchema
      .optional()
      .describe('How the point is set')
      .meta({ examples: [{ topic: 'home/kitchen/light/set', payload: '{value}' }] }),
  })
  .superRefine((address, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (address.topic === undefined && address.set === undefined)
      fault('topic', 'is missing; a point needs a topic that tells it, a topic that sets it ("set"), or both');
    const given = address.format ?? 'json';
    if (given !== 'json' && address.path !== undefined) fault('path', `needs format "json", not "${given}"`);
    if (given !== 'json' && address.time !== undefined) fault('time', `needs format "json", not "${given}"`);
  })
  .transform(({ format, ...address }) => ({
    ...address,
    format: format ?? (address.path !== undefined || address.time !== undefined ? ('json' as const) : ('number' as const)),
  }));

export type Address = z.output<typeof addressSchema>;
export type SetAddress = NonNullable<Address['set']>;

/** The address of one discovered device; throws an Error if a text cannot stand in its topics. */
export function fillAddress(address: Address, values: Values): Address {
  const { topic, set } = address;
  return {
    ...address,
    ...(topic === undefined ? {} : { topic: fillTopic(topic, values) }),
    ...(set === undefined ? {} : { set: { ...set, topic: fillTopic(set.topic, values) } }),
  };
}
