/** Answers damaged in every way: no crash, no wrong value. A million with `npm run soak`. */
import { expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver, Session } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { startPython } from '../far/python.ts';
import { buildLine, makeHost } from './line.ts';

const driver = modbus as Driver;
const mutants = process.env.FIELDGATE_SOAK ? 1_000_000 : 3_000;
const sessionsAtOnce = 32;

it(`${mutants} mutants: a reading is right or bad, and whatever is lost is said`, async () => {
  const far = await startPython('modbus_mutant.py');
  try {
    const seed = Math.floor(Math.random() * 2 ** 31);
    await far.ask({ seed });
    let asked = 0;
    let right = 0;
    let bad = 0;
    let lost = 0;
    const never = new AbortController().signal;
    const worker = async (unitId: number) => {
      const line = buildLine(driver, {
        connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '25ms' },
        devices: [
          {
            id: 'a',
            address: { unitId },
            points: Array.from({ length: 6 }, (_, index) => ({ id: `r${index * 9}`, address: { table: 'holding', register: index * 9 } })),
          },
        ],
      });
      let session: Session | undefined;
      while (asked < mutants) {
        // What was learned from a mutant must not outlive it here.
        session ??= await driver.open(line, makeHost(), AbortSignal.timeout(10_000));
        const requests = session.plan?.(line.devices[0]?.points ?? []) ?? [];
        const request = requests[asked % requests.length];
        asked += 1;
        try {
          for (const { point, value, reason } of (request && (await session.read?.(request, never))) ?? []) {
            if (reason === '') {
              expect(value, `seed ${seed}, ${point.id} of unit ${unitId}`).toBe((unitId * 1_021 + Number(point.id.slice(1)) * 31) & 0xffff);
              right += 1;
            } else {
              expect(value).toBeNull();
              bad += 1;
            }
          }
        } catch (error) {
          expect(error).toBeInstanceOf(LinkLost);
          lost += 1;
          await session.close();
          session = undefined;
        }
      }
      await session?.close();
    };
    await Promise.all(Array.from({ length: sessionsAtOnce }, (_, index) => worker(index + 1)));
    expect(right).toBeGreaterThan(mutants / 10);
    expect(bad).toBeGreaterThan(mutants / 10);
    expect(lost).toBeGreaterThan(mutants / 100);
  } finally {
    await far.kill();
  }
}, 3_600_000);
