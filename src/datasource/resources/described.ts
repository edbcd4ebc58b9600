/** What each route takes and gives, beside its line in the table of rights: `openapi.json` is made from both. The compiler demands every route. */
import { z } from 'zod';
import { actBodySchema, setBodySchema } from '../../contract/command.ts';
import { limits } from '../../contract/limits.ts';
import * as answers from './answers.ts';
import type { ProcessRouteName, RouteName } from './ask.ts';

export interface Described {
  /** Of the query string. */
  parameters?: Record<string, z.ZodType>;
  headers?: Record<string, z.ZodType>;
  body?: z.ZodType;
  /** By content type, where all goes well. */
  answers: Record<string, z.ZodType>;
  /** Further good statuses, in words. */
  also?: Record<string, string>;
}

const json = (schema: z.ZodType) => ({ 'application/json': schema });
const text = z.string();
const anyObject = z.record(z.string(), z.unknown());

const selection = {
  device: z.array(z.string()).optional().describe('A name, a glob with *, or an RE2 expression between slashes; several: any of them'),
  point: z.array(z.string()).optional().describe('As device'),
  label: z
    .array(z.string())
    .optional()
    .meta({ examples: [['site:north']] })
    .describe('name:value, the value as device; several: all of them'),
};
const setBody = setBodySchema.meta({ id: 'SetBody' });
const actBody = actBodySchema.meta({ id: 'ActBody' });
const idempotency = {
  'Idempotency-Key': z
    .string()
    .max(limits.idempotencyKeyLengthMax)
    .optional()
    .describe('Makes a retry safe: the same key is the same command'),
};
const command = {
  headers: idempotency,
  answers: json(answers.commandAnswer),
  also: { '202': 'Still running after `wait`' },
};
const moment = z
  .string()
  .optional()
  .meta({ examples: ['now-1h', '2026-01-31T12:00:00Z', '1767225600000'] });

export const described: Record<RouteName | ProcessRouteName, Described> = {
  'GET openapi.json': { answers: json(anyObject) },
  'GET help': { answers: { 'text/html': text } },
  'GET schema': { answers: json(anyObject) },
  'GET drivers': { answers: json(z.object({ drivers: z.array(anyObject) })) },
  'GET profiles': { answers: json(z.object({ profiles: z.array(answers.profileAnswer) })) },
  'GET profiles/{profile}/image': { answers: { 'image/svg+xml': text } },
  'GET connections': { answers: json(z.object({ connections: z.array(answers.connectionAnswer) })) },
  'GET devices': {
    parameters: { label: z.array(z.string()).optional().describe('name:value; several: all of them') },
    answers: json(z.object({ devices: z.array(answers.deviceAnswer) })),
  },
  'GET devices/{device}': { answers: json(answers.deviceWithPointsAnswer) },
  'GET devices/{device}/points': { answers: json(z.object({ points: z.array(answers.pointAnswer) })) },
  'GET devices/{device}/points/{point}': {
    parameters: { fresh: z.enum(['0', '1']).optional().describe('1: ask the device now (Editor)') },
    answers: { ...json(answers.pointAnswer), 'text/plain': text.describe('The value alone') },
    also: { '204': 'As plain text: there is no usable value' },
  },
  'POST devices/{device}/points/{point}': { body: setBody, ...command },
  'POST devices/{device}/commands/{command}': { body: actBody, ...command },
  'GET suggest': {
    parameters: {
      what: z.enum(['devices', 'points', 'labels', 'values', 'commands', 'connections', 'profiles']).optional(),
      prefix: z.string().optional().describe('Beginning of an id or of a word of a title, whatever its case'),
      name: z.string().optional().describe('The label of what=values'),
      limit: z.int().min(1).max(limits.suggestMax).optional(),
      ...selection,
    },
    answers: json(answers.suggestAnswer),
  },
  'GET export': {
    parameters: {
      format: z.enum(['csv', 'ndjson', 'arrow']).optional(),
      from: moment.describe('An hour ago unless said'),
      to: moment.describe('Now unless said; not included'),
      quality: z.enum(['usable', 'good', 'all']).optional(),
      ...selection,
    },
    answers: {
      'text/csv': text.describe(
        'time, device, point, value, quality, reason; a text that looks like a formula gets an apostrophe in front',
      ),
      'application/x-ndjson': answers.exportLine,
      'application/vnd.apache.arrow.stream': text.describe('An Arrow IPC stream, bytes'),
    },
  },
  'GET events': {
    parameters: { what: z.array(z.enum(['sample', 'connectivity', 'command'])).optional(), ...selection },
    answers: { 'application/x-ndjson': answers.eventAnswer, 'text/event-stream': text.describe('The same as Server-Sent Events') },
  },
  'GET commands': {
    parameters: { limit: z.int().min(1).max(limits.commandsListedMax).optional() },
    answers: json(z.object({ commands: z.array(answers.commandAnswer) })),
  },
  'GET commands/{id}': { answers: json(answers.commandAnswer) },
  'GET access/me': { answers: json(answers.accessAnswer) },
  'POST config/check': { body: anyObject.describe('Settings, as GET schema describes them'), answers: json(answers.checkAnswer) },
  'GET instances': { answers: json(z.object({ instances: z.array(answers.instanceAnswer) })) },
  'DELETE instances/{uid}': {
    parameters: { history: z.enum(['0', '1']).optional().describe('1: delete its history too') },
    answers: json(answers.removedAnswer),
  },
};
