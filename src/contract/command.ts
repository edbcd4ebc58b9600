/** Commands and how they end (DESIGN §8). */
import * as z from 'zod';
import { durationMs, formatDurationMs } from './duration.ts';
import { limits } from './limits.ts';
import type { Value } from './sample.ts';

export const commandStates = [
  'queued',
  'sent',
  'acknowledged',
  'verified',
  'rejected',
  'expired',
  'failed',
  'mismatch',
  'unknown',
] as const;
export type CommandState = (typeof commandStates)[number];

/**
 * A value in a command: enum values by their name; 64-bit integers as strings of digits, or as they are: whoever reads the body keeps the digits
 * of large whole numbers, which come as bigint.
 */
export const commandValueSchema = z.union([z.number(), z.boolean(), z.string().max(1024), z.bigint().meta({ type: 'integer' })], {
  error: ({ input }) => {
    const what =
      input === undefined ? 'missing' : input === null ? 'null' : typeof input === 'string' ? 'a longer string' : 'a list or object';
    return `is ${what}; allowed is a number, true, false or a string of at most 1024 characters (also for 64-bit integers and enum names)`;
  },
});
export type CommandValue = z.output<typeof commandValueSchema>;

/** Body of `POST devices/{d}/points/{p}`. */
export const setBodySchema = z.strictObject({
  value: commandValueSchema,
  expect: commandValueSchema.optional().describe('Set only if the point reads this now, within the verify tolerance'),
  wait: durationMs({ maxMs: limits.commandWaitMaxMs })
    .prefault(formatDurationMs(limits.commandWaitDefaultMs))
    .describe('Answer 202 if it has not ended by then'),
  expires: durationMs({ minMs: 10, maxMs: 600_000 })
    .prefault(formatDurationMs(limits.commandExpiryMs))
    .describe('Not sent any more after waiting this long'),
  reason: z.string().max(512).optional().describe('Why, for the record'),
  confirm: z.string().max(64).optional().describe('The nonce of an answer 428: the person was asked and said yes'),
});
export type SetBody = z.output<typeof setBodySchema>;

/** Body of `POST devices/{d}/commands/{c}`. */
export const actBodySchema = setBodySchema
  .omit({ value: true, expect: true })
  .extend({ parameters: z.record(z.string(), z.unknown()).default({}) });
export type ActBody = z.output<typeof actBodySchema>;

/** Body of `POST devices/{d}/lock`. */
export const lockBodySchema = z.strictObject({
  reason: z.string().trim().min(1, 'is empty; allowed is why the device is locked').max(512).describe('Why, for whoever wonders'),
  for: durationMs({ minMs: 1_000, maxMs: limits.lockMaxMs })
    .optional()
    .describe('It ends by itself after this; after the longest there is unless said')
    .meta({ examples: ['2h'] }),
});
export type LockBody = z.output<typeof lockBodySchema>;

/** A device that takes no command, because somebody works on it. Times are milliseconds since 1970. */
export interface DeviceLock {
  reason: string;
  by: { login: string; name: string };
  since: number;
  until: number;
}

/** What stands against a command now: `type` as the problem it would be refused with. `until` is in milliseconds since 1970. */
export interface Obstacle {
  type: string;
  detail: string;
  until?: number;
}

/** What made a command when it was no person: the rule of an alert. */
export interface Origin {
  /** The entry of `rights.alerts.commands`. */
  hook: string;
  /** The uid of the alert rule, and the alert instance. */
  rule: string;
  fingerprint: string;
}

/** A command as it is recorded, listed and answered. Times are milliseconds since 1970. */
export interface CommandRecord {
  id: string;
  device: string;
  /** The point set, or the action run. */
  point: string;
  kind: 'set' | 'act';
  value: Value;
  state: CommandState;
  /** In words, when the end is not the wished one. */
  detail?: string;
  readBack?: Value;
  reason?: string;
  user: { login: string; name: string; role: string };
  idempotencyKey?: string;
  /** Who took it out of the queue. */
  cancelledBy?: { login: string; name: string };
  origin?: Origin;
  /** Refused before it was a command: the HTTP status and the type of the problem. `others` like it were not recorded one by one. */
  refusal?: { status: number; type: string; others?: number };
  times: Partial<Record<CommandState | 'ended', number>>;
}

/** HTTP status of an answer (DESIGN §8). `acknowledged` that is still to be verified is 202. */
export function statusOf(record: CommandRecord): number {
  if (record.times.ended === undefined) return 202;
  switch (record.state) {
    case 'verified':
    case 'acknowledged':
      return 200;
    case 'rejected':
      return 422;
    case 'expired':
      return 503;
    case 'failed':
    case 'mismatch':
      return 502;
    case 'unknown':
      return 504;
    case 'queued':
    case 'sent':
      return 202;
  }
}
