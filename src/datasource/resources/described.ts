/** What each route takes and gives, beside its line in the table of rights: `openapi.json` is made from both. The compiler demands every route. */
import * as z from 'zod';
import { actBodySchema, commandStates, lockBodySchema, setBodySchema } from '../../contract/command.ts';
import { limits } from '../../contract/limits.ts';
import { notificationSchema, signatureHeader, timestampHeader } from './alert-hook.ts';
import * as answers from './answers.ts';
import type { ProcessRouteName, RouteName } from './ask.ts';
import { commandListSchema } from './command-list.ts';
import { surveyBodySchema } from './survey-order.ts';

export interface Described {
  /** Of the query string. */
  parameters?: Record<string, z.ZodType>;
  headers?: Record<string, z.ZodType>;
  body?: z.ZodType;
  /** A body that is not JSON, by content type. */
  bodies?: Record<string, z.ZodType>;
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
  where: z.string().optional().describe('The member "where" of a query, as JSON'),
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

const surveyBody = surveyBodySchema.meta({ id: 'SurveyBody' });
const survey = { body: surveyBody, answers: { 'application/x-ndjson': answers.surveyLine } };

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
        'time, device, point, value, quality, reason, kind; a text that looks like a formula gets an apostrophe in front',
      ),
      'application/x-ndjson': answers.exportLine,
      'application/vnd.apache.arrow.stream': text.describe('An Arrow IPC stream, bytes'),
    },
  },
  'POST import': {
    bodies: {
      'text/csv': text.describe('A head line, then a sample a line; needed are time, device, point and value'),
      'application/x-ndjson': answers.exportLine.partial({ quality: true, reason: true, kind: true }),
      'application/vnd.apache.arrow.stream': text.describe('An Arrow IPC stream or file, bytes'),
    },
    answers: json(answers.importAnswer),
  },
  'GET series': {
    parameters: {
      limit: z.int().min(1).max(limits.seriesListedMax).optional(),
      after: z.string().optional().describe('`next` of the answer before'),
      ...selection,
    },
    answers: json(answers.seriesAnswer),
  },
  'DELETE history': {
    parameters: {
      from: z
        .string()
        .optional()
        .describe('The beginning of history unless said')
        .meta({ examples: ['2026-01-31T12:00:00Z'] }),
      to: z.string().optional().describe('The end of it unless said; not included'),
      ...selection,
    },
    answers: json(answers.historyDeletedAnswer),
  },
  'POST backup': { body: z.strictObject({}).meta({ id: 'BackupBody' }), answers: json(answers.backupAnswer) },
  'GET backups': {
    answers: json(z.object({ backups: z.array(answers.backupAnswer), kept: z.number().describe('How many are kept at most') })),
  },
  'GET events': {
    parameters: { what: z.array(z.enum(['sample', 'connectivity', 'command'])).optional(), ...selection },
    answers: { 'application/x-ndjson': answers.eventAnswer, 'text/event-stream': text.describe('The same as Server-Sent Events') },
  },
  'GET commands': {
    parameters: {
      limit: z.int().min(1).max(limits.commandsListedMax).optional().describe('Of a JSON answer; a file has all'),
      format: z.enum(['json', 'csv', 'ndjson']).optional(),
      from: moment.describe('With to: the range; all unless said'),
      to: moment.describe('Not included'),
      state: z.array(z.enum(commandStates)).optional().describe('Several: any of them'),
      ...selection,
    },
    answers: {
      ...json(z.object({ commands: z.array(answers.commandAnswer) })),
      'text/csv': text.describe('A line a command'),
      'application/x-ndjson': anyObject.describe('A line a command, its members as the columns of the CSV'),
    },
  },
  'POST commands': {
    headers: idempotency,
    body: commandListSchema.meta({ id: 'CommandList' }),
    answers: json(answers.outcomesAnswer),
    also: { '202': 'Some still run after `wait`', '207': 'Some did not end well' },
  },
  'DELETE commands/{id}': { answers: json(answers.commandAnswer) },
  'POST devices/{device}/lock': {
    body: lockBodySchema.meta({ id: 'LockBody' }),
    answers: json(z.object({ device: z.string(), lock: answers.lockAnswer })),
  },
  'DELETE devices/{device}/lock': { answers: json(z.object({ device: z.string(), lock: z.null() })) },
  'GET audit': {
    parameters: { after: z.int().min(0).optional().describe('The number of a line: only later ones') },
    answers: { 'application/x-ndjson': answers.auditLine },
  },
  'GET audit/check': { answers: json(answers.auditCheckAnswer) },
  'POST hooks/alert': {
    headers: {
      [signatureHeader]: z.string().describe('HMAC-SHA256 of `<timestamp>:<body>` with the secret, in hexadecimal digits'),
      [timestampHeader]: z.string().describe('Seconds since 1970'),
    },
    body: notificationSchema.meta({ id: 'AlertNotification' }),
    answers: json(answers.hookAnswer),
  },
  'GET commands/{id}': { answers: json(answers.commandAnswer) },
  'GET access/me': { parameters: selection, answers: json(answers.accessAnswer) },
  'POST connections/{connection}/probe': survey,
  'POST connections/{connection}/scan': survey,
  'GET connections/{connection}/survey': { answers: json(answers.surveyAnswer) },
  'POST config/check': { body: anyObject.describe('Settings, as GET schema describes them'), answers: json(answers.checkAnswer) },
  'GET instances': { answers: json(z.object({ instances: z.array(answers.instanceAnswer) })) },
  'DELETE instances/{uid}': {
    parameters: { history: z.enum(['0', '1']).optional().describe('1: delete its history too') },
    answers: json(answers.removedAnswer),
  },
};
