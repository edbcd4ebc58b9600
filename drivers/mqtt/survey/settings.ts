/** What a person may choose for a probe or a scan of a broker. */
import * as z from 'zod';
import { takenBy } from '../../../src/contract/checked-text.ts';
import { durationMs } from '../../../src/contract/duration.ts';
import { parseFilter } from '../topic.ts';

const filterSchema = z.string().superRefine(
  takenBy((text) => {
    if (parseFilter(text).placeholders.length > 0) throw new Error('has a placeholder; allowed are + for one level and # for the rest');
  }),
);

export const scanSchema = z.strictObject({
  filter: filterSchema
    .default('#')
    .describe('Which topics: + is any level, # the rest. # alone leaves out those of the broker itself ($SYS/#)')
    .meta({ examples: ['zigbee2mqtt/#'] }),
  duration: durationMs({ minMs: 100, maxMs: 300_000 })
    .prefault('10s')
    .describe('How long it listens; values the broker keeps come at once'),
});
export type ScanOptions = z.output<typeof scanSchema>;

export const probeSchema = z.strictObject({
  timeout: durationMs({ minMs: 100, maxMs: 30_000 }).prefault('3s').describe('How long the broker may take for each try'),
});
export type ProbeOptions = z.output<typeof probeSchema>;
