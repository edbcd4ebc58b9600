import * as z from 'zod';

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** How a duration is written: a number and its unit. */
export const durationPattern = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d|w)$/;

/** `"500ms"`, `"1s"`, `"1.5h"`, `"30d"` in milliseconds; undefined if it is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs];
}

/** A duration as people write it (DESIGN §2); the parsed value is in milliseconds. */
export function durationMs(bounds: { minMs?: number; maxMs?: number } = {}) {
  return (
    z
      .string()
      // Not JSON Schema's format `duration`, which is that of ISO 8601: `P30D`.
      .meta({ pattern: durationPattern.source, examples: ['500ms', '1s', '30d'] })
      .transform((text, context) => {
        const ms = parseDurationMs(text);
        const { minMs = 0, maxMs = 10 * 365 * 86_400_000 } = bounds;
        if (ms === undefined || ms < minMs || ms > maxMs) {
          context.addIssue({
            code: 'custom',
            message: `is ${JSON.stringify(text)}; allowed is a duration such as "500ms", "1s", "5m", "12h" or "30d", from ${formatDurationMs(minMs)} to ${formatDurationMs(maxMs)}`,
          });
          return z.NEVER;
        }
        return ms;
      })
  );
}

/** The shortest exact spelling: 1500 is `1500ms`, 60000 is `1m`. */
export function formatDurationMs(ms: number): string {
  for (const unit of ['w', 'd', 'h', 'm', 's'] as const) {
    if (ms >= unitsMs[unit] && ms % unitsMs[unit] === 0) return `${ms / unitsMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}
