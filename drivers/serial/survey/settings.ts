/** What a person may choose for a probe and a scan of a serial port. */
import * as z from 'zod';
import { durationMs } from '../../../src/contract/duration.ts';

const commonRates = [9_600, 115_200, 19_200, 38_400, 57_600, 4_800, 2_400, 1_200, 230_400];

export const probeSchema = z
  .strictObject({
    listen: durationMs({ minMs: 100, maxMs: 30_000 })
      .prefault('3s')
      .describe('How long each speed is listened to; a device that speaks once a minute needs longer'),
    baudRates: z
      .array(z.int().min(50).max(4_000_000))
      .min(1)
      .max(16)
      .default(commonRates)
      .describe('Speeds that are tried, that of the settings first; on a connection that is up only its own')
      .meta({ examples: [[9600, 115200]] }),
  })
  .prefault({});
export type ProbeOptions = z.output<typeof probeSchema>;

export const scanSchema = z.strictObject({}).prefault({}).describe('Lists the serial ports of this machine');
