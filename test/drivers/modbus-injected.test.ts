/** Faults that pymodbus' own hook puts into what it sends: a reading is right or bad and says why, what was thrown away is counted, and then all is well again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { buildLine, makeHost, pointOf } from './line.ts';

const driver = modbus as Driver;
let far: FarProgram;
beforeAll(async () => {
  far = await startPython('modbus_injected.py');
});
afterAll(() => far?.kill());

const lost = 'lost';
it.each([
  ['drop', 'timeout', []],
  ['cut', lost, ['framing']],
  ['transaction', 'timeout', ['transaction']],
  ['unit', 'decode', ['unit']],
  ['exception', 'decode', ['function']],
  ['twice', '', ['transaction']],
] as const)('%s ends as %j', async (fault, reason, discards) => {
  const line = buildLine(driver, {
    connection: { transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '500ms' },
    devices: [{ id: 'a', points: [{ id: 'r', address: { table: 'holding', register: 42 } }] }],
  });
  const host = makeHost();
  const open = () => driver.open(line, host, AbortSignal.timeout(5_000));
  const read = async (session: Awaited<ReturnType<typeof open>>) => {
    const [request] = session.plan?.([pointOf(line, 'r')]) ?? [];
    return (request && (await session.read?.(request, AbortSignal.timeout(10_000))))?.[0];
  };
  await far.ask({ fault });
  let session = await open();
  try {
    if (reason === lost) await expect(read(session)).rejects.toBeInstanceOf(LinkLost);
    else expect(await read(session)).toMatchObject({ reason, value: reason === '' ? 42 : null });
    await expect.poll(() => host.discards).toEqual(discards);
    await far.ask({ fault: 'none' });
    if (reason === lost) {
      await session.close();
      session = await open();
    }
    expect(await read(session)).toMatchObject({ reason: '', value: 42 });
  } finally {
    await session.close();
  }
});
