/** A point's place in MQTT: the topic that tells it, where in the message it is, and the topic that sets it. */
import * as z from 'zod';
import { takenBy } from '../../src/contract/checked-text.ts';
import { durationMs, formatDurationMs } from '../../src/contract/duration.ts';
import { parsePath } from '../../src/contract/json-path.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Values } from '../../src/contract/placeholders.ts';
import { isTimeZone } from '../../src/contract/zone.ts';
import { readMapSchema, readWordsSchema, sentMapSchema, trueWhenSchema, wordSchema } from './meanings.ts';
import { qosSchema, userPropertiesSchema } from './options.ts';
import { binaryTypes } from './payload/binary.ts';
import { documentFormats, type Format, formatNames, formats } from './payload/formats.ts';
import { metricSchema, metricTypeSchema } from './sparkplug/settings.ts';
import { compileTemplate, fillTemplate, namesOf } from './template.ts';
import { compilePattern, fillTopic, parseFilter, parseTopic } from './topic.ts';

const checkedText = (read: (text: string) => unknown) => z.string().superRefine(takenBy(read));
const setTopicSchema = checkedText(parseTopic);
const topicSchema = checkedText((text) => compilePattern(parseFilter(text)));
const pathSchema = checkedText(parsePath);
const binarySchema = z.strictObject({
  offset: z
    .int()
    .min(-limits.payloadBytesMax)
    .max(limits.payloadBytesMax)
    .default(0)
    .describe('Bytes before it; below 0 counted from the end'),
  type: z.enum(binaryTypes, { error: `allowed is ${binaryTypes.join(', ')}` }).describe('What the bytes are'),
  order: z.enum(['big', 'little'], { error: 'allowed is "big" or "little"' }).default('big').describe('Which byte of a number comes first'),
  length: z
    .int()
    .min(1)
    .max(limits.payloadBytesMax)
    .optional()
    .describe('Bytes of a text; all that follow unless said. It ends at a zero byte')
    .meta({ examples: [8] }),
  bit: z
    .int()
    .min(0)
    .max(7)
    .optional()
    .describe('The bit of a boolean, 0 the least significant; whether the byte is not zero unless said')
    .meta({ examples: [3] }),
});

const responseSchema = z.strictObject({
  topic: setTopicSchema
    .optional()
    .describe(
      'Where the device answers. With MQTT 5 the command says where to (response topic), so that a topic of our own serves unless said',
    )
    .meta({ examples: ['home/kitchen/light/answer'] }),
  id: pathSchema
    .optional()
    .describe('Where the answer has the {id} of the payload. With MQTT 5 the correlation data tell unless said')
    .meta({ examples: ['$.id'] }),
  status: pathSchema
    .optional()
    .describe('Where the answer says whether it was done; any answer is a yes unless said')
    .meta({ examples: ['$.status'] }),
  ok: z.union([z.string(), z.number(), z.boolean()]).default(true).describe('What is there if it was done'),
  error: pathSchema
    .optional()
    .describe('Where the answer says in words why not')
    .meta({ examples: ['$.error'] }),
  timeout: durationMs({ minMs: 10, maxMs: 60_000 })
    .prefault(formatDurationMs(limits.mqttAnswerMs))
    .describe('How long the device may take. After that nobody knows what became of the command'),
});

const setSchema = z
  .strictObject({
    topic: setTopicSchema.describe('The topic a command is published to').meta({ examples: ['home/kitchen/light/set'] }),
    payload: checkedText((text) => {
      if (Buffer.byteLength(text) > limits.payloadBytesMax) throw new Error(`is longer than ${limits.payloadBytesMax} bytes`);
      compileTemplate(text);
    })
      .default('{value}')
      .describe(
        '{value} is the value, {id} what an answer is told by, {name} a placeholder of the device, {{ a literal brace; JSON stays JSON whatever the value',
      ),
    words: z
      .strictObject({
        on: wordSchema.describe('What is sent for true'),
        off: wordSchema
          .optional()
          .describe('What is sent for false; false is refused unless said')
          .meta({ examples: ['OFF'] }),
      })
      .optional()
      .describe('What is sent for true and false, if it is not what the address reads ("words")')
      .meta({ examples: [{ on: 'ON', off: 'OFF' }] }),
    map: sentMapSchema.optional().meta({ examples: [{ off: 0, heat: 1 }] }),
    contentType: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('What the payload is, for whoever receives it (MQTT 5)')
      .meta({ examples: ['application/json'] }),
    userProperties: userPropertiesSchema
      .optional()
      .describe('Said with each command (MQTT 5)')
      .meta({ examples: [{ source: 'fieldgate' }] }),
    response: responseSchema
      .optional()
      .describe('How the device answers a command. Without it the broker alone confirms')
      .meta({ examples: [{ topic: 'home/kitchen/light/answer', id: '$.id', status: '$.ok' }] }),
    qos: qosSchema.default(1).describe('From 1 on the broker confirms; with MQTT 5 it also says when it refuses'),
    retain: z.boolean().default(false).describe('The broker keeps the command for whoever subscribes later: rarely what is wanted'),
  })
  .superRefine(({ payload, response }, context) => {
    const hasId = namesOf(payload).includes('id');
    if (hasId && response?.id === undefined)
      context.addIssue({
        code: 'custom',
        path: ['payload'],
        message: 'has {id}; then "response" needs to say where the answer has it ("id")',
      });
    if (!hasId && response?.id !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['response', 'id'],
        message: 'needs {id} in the payload, else the device cannot repeat it',
      });
  });

export const addressSchema = z
  .strictObject({
    topic: topicSchema
      .optional()
      .describe('The topic that tells the value; + is any level, # the rest, {name} a level that names a discovered device')
      .meta({ examples: ['home/kitchen/climate'] }),
    path: pathSchema
      .optional()
      .describe('Where the value is in the document: $.temperature, $.sensors[0].value, $["outside air"]')
      .meta({ examples: ['$.temperature'] }),
    format: z
      .enum(formatNames, { error: `allowed is ${formatNames.map((name) => `"${name}"`).join(', ')}` })
      .optional()
      .describe(
        `What a message is; json if a path is given, else number. ${Object.entries(formats)
          .map(([name, help]) => `${name}: ${help}`)
          .join('; ')}`,
      )
      .meta({ examples: ['json', 'influx'] }),
    unpack: z
      .array(z.enum(['base64', 'gzip'], { error: 'allowed is "base64" or "gzip"' }))
      .max(3)
      .default([])
      .describe('What the message is wrapped in, the outermost first; gzip reads zlib too')
      .meta({ examples: [['base64', 'gzip']] }),
    each: pathSchema
      .optional()
      .describe(
        'Where a message has a list of readings (a batch): path, time and where are then places in each of its elements. Influx: its lines',
      )
      .meta({ examples: ['$.records'] }),
    where: z
      .record(pathSchema, z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe('Only what has these values at these places is a reading of the point')
      .meta({ examples: [{ '$.tags.room': 'kitchen' }] }),
    csv: z
      .strictObject({
        separator: z
          .string()
          .regex(/^[^\r\n"]$/, 'allowed is one character, not a quote and no line break')
          .default(',')
          .describe('What divides the fields'),
        header: z.boolean().default(false).describe('True: the first line has the names of the columns, and a line is read by them'),
      })
      .prefault({})
      .describe('How CSV is written')
      .meta({ examples: [{ separator: ';', header: true }] }),
    binary: binarySchema
      .optional()
      .describe('Where in the bytes the value is, with format binary')
      .meta({ examples: [{ offset: 4, type: 'int16', order: 'little' }] }),
    words: readWordsSchema
      .optional()
      .describe('The words that mean true and false: the point is then a boolean, and where both are said anything else is a bad reading')
      .meta({ examples: [{ on: 'ON', off: 'OFF' }] }),
    trueWhen: trueWhenSchema
      .optional()
      .describe(
        'Which numbers mean true: those beyond a bound, between two, or outside of two if the upper is below the lower. The point is then a boolean, any other number is false, and what is no number is a bad reading',
      )
      .meta({ examples: [{ above: 0 }] }),
    map: readMapSchema.optional().meta({ examples: [{ 0: 'off', 1: 'heat' }] }),
    time: pathSchema
      .optional()
      .describe('Where the time of the device is: ISO 8601, or s, ms, µs, ns since 1970. Influx lines bring theirs')
      .meta({ examples: ['$.ts'] }),
    timeUnit: z
      .enum(['s', 'ms', 'us', 'ns'], { error: 'allowed is "s", "ms", "us" or "ns"' })
      .optional()
      .describe('The unit of a time that is a number; told by its size unless said, ns for Influx lines')
      .meta({ examples: ['ms'] }),
    timezone: z
      .string()
      .max(64)
      .refine(isTimeZone, 'is no time zone that is known here; allowed is UTC or a name such as Europe/Berlin')
      .optional()
      .describe('The time zone of device times that name none')
      .meta({ examples: ['Europe/Berlin'] }),
    optional: z
      .boolean()
      .default(false)
      .describe('True: a message without this path says nothing about the point; false: it is a bad reading'),
    qos: qosSchema.default(0).describe('The quality of service asked from the broker'),
    metric: metricSchema
      .optional()
      .describe('Of a device of Sparkplug B: the name of the metric, a member of a template behind the name of its instance')
      .meta({ examples: ['Outputs/Valve'] }),
    type: metricTypeSchema
      .optional()
      .describe('Of a metric of Sparkplug B: its data type')
      .meta({ examples: ['Float'] }),
    set: setSchema
      .optional()
      .describe('How the point is set')
      .meta({ examples: [{ topic: 'home/kitchen/light/set', payload: '{value}' }] }),
  })
  .superRefine((address, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (address.metric !== undefined) {
      if (address.type === undefined) fault('type', 'is missing; a metric has a data type');
      for (const name of ['topic', 'path', 'format', 'each', 'where', 'binary', 'words', 'trueWhen', 'map', 'time', 'set'] as const)
        if (address[name] !== undefined) fault(name, 'cannot be with "metric": what Sparkplug sends is read by its own rules');
      return;
    }
    if (address.type !== undefined) fault('type', 'needs "metric"');
    if (address.topic === undefined && address.set === undefined)
      fault('topic', 'is missing; a point needs a topic that tells it, a topic that sets it ("set"), or both');
    const given = address.format ?? 'json';
    if (!documentFormats.has(given)) {
      for (const name of ['path', 'time', 'each', 'where'] as const)
        if (address[name] !== undefined) fault(name, `needs a format with places (${[...documentFormats].join(', ')}), not "${given}"`);
    }
    if (given === 'binary' && !address.binary)
      fault('binary', 'is missing; format "binary" needs to know where the value is and what it is');
    if (given !== 'binary' && address.binary) fault('binary', `needs format "binary", not "${given}"`);
    if (address.words && given === 'binary') fault('words', 'cannot be with format "binary", which has its own boolean');
    const [first, other] = (['words', 'trueWhen', 'map'] as const).filter((name) => address[name] !== undefined);
    if (other !== undefined) fault(other, `cannot be with "${first}"; allowed is one of the two`);
    if (address.set?.words && address.set.map) fault('set', 'has "words" and "map"; allowed is one of the two');
    if (address.timeUnit !== undefined && address.time === undefined && given !== 'influx') fault('timeUnit', 'needs "time"');
    if (address.timezone !== undefined && address.time === undefined) fault('timezone', 'needs "time"');
  })
  .transform(({ format: given, ...address }) => {
    const hasPlace = address.path !== undefined || address.time !== undefined || address.each !== undefined || address.where !== undefined;
    const format: Format = given ?? (hasPlace ? 'json' : address.words || address.map ? 'text' : 'number');
    if (format !== 'influx') return { ...address, format };
    return { ...address, format, each: address.each ?? '$', time: address.time ?? '$.time', timeUnit: address.timeUnit ?? ('ns' as const) };
  });

export type Address = z.output<typeof addressSchema>;
export type SetAddress = NonNullable<Address['set']>;

/** The address of one discovered device; throws an Error if a text cannot stand in its topics. */
export function fillAddress(address: Address, values: Values): Address {
  const { topic, set } = address;
  return {
    ...address,
    ...(topic === undefined ? {} : { topic: fillTopic(topic, values) }),
    ...(set === undefined ? {} : { set: fillSet(set, values) }),
  };
}

function fillSet(set: SetAddress, values: Values): SetAddress {
  const { topic, payload, response } = set;
  return {
    ...set,
    topic: fillTopic(topic, values),
    payload: fillTemplate(payload, values),
    ...(response?.topic === undefined ? {} : { response: { ...response, topic: fillTopic(response.topic, values) } }),
  };
}
