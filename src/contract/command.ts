/** Commands and how they end (DESIGN §8). */
import { z } from 'zod';
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

/** States nothing follows. `acknowledged` ends a command that is not verified. */
export const endStates: readonly CommandState[] = ['verified', 'rejected', 'expired', 'failed', 'mismatch', 'unknown'];

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
});
export type SetBody = z.output<typeof setBodySchema>;

/** Body of `POST devices/{d}/commands/{c}`. */
export const actBodySchema = setBodySchema
  .omit({ value: true, expect: true })
  .extend({ parameters: z.record(z.string(), z.unknown()).default({}) });
export type ActBody = z.output<typeof actBodySchema>;

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
