import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPlant } from '../../simulators/modbus-plant.ts';
import { type FarProgram, startPython } from '../far/python.ts';

describe('the simulated boiler, asked by pymodbus', () => {
  const clock = { ms: 0, nowMs: () => clock.ms };
  let plant: Awaited<ReturnType<typeof startPlant>>;
  let client: FarProgram;
  const ask = (question: Record<string, unknown>) => client.ask({ port: plant.port, unit: 1, ...question });
  const read = async (question: Record<string, unknown>) => (await ask(question)).value;
  const write = (table: string, register: number, values: unknown[], many = false) => ask({ write: table, register, values, many });
  const flow = async () => Number(await read({ read: 'input', register: 0, count: 1, as: 'INT16' })) / 10;
  const power = async () => Number(await read({ read: 'holding', register: 10, count: 2, as: 'FLOAT32', order: 'little' }));
  const energy = async () => Number(await read({ read: 'holding', register: 20, count: 4, as: 'UINT64' }));

  beforeAll(async () => {
    client = await startPython('modbus_client.py');
    plant = await startPlant({ port: 0, clock });
  });
  afterAll(async () => {
    await plant.close();
    await client.kill();
  });

  it('has the layout of the example settings', async () => {
    expect(await flow()).toBeCloseTo(41.5, 0);
    expect(await read({ read: 'holding', register: 30, count: 1, as: 'INT16' })).toBe(550);
    expect(await read({ read: 'holding', register: 100, count: 8, as: 'STRING' })).toMatch(/^FG-B2-000421\0*$/);
    expect(await read({ read: 'coil', register: 0, count: 16 })).toEqual(Array.from({ length: 16 }, (_, coil) => coil === 3));
  });

  it('lives: the flow follows the setpoint, the burner takes power, the counter counts', async () => {
    const before = await energy();
    expect((await write('holding', 30, [700])).value).toBeNull();
    clock.ms += 2_000;
    expect(await power()).toBeGreaterThan(300);
    clock.ms += 200_000;
    expect(Math.abs((await flow()) - 70)).toBeLessThan(1);
    expect(await energy()).toBeGreaterThan(before);
  });

  it('trips when the pump stops while it is hot, until the fault is reset', async () => {
    await write('coil', 3, [false]);
    expect(await read({ read: 'discrete', register: 0, count: 2 })).toEqual([true, false]);
    await write('coil', 3, [true], true);
    clock.ms += 60_000;
    expect(await power()).toBe(0);
    await write('coil', 9, [true]);
    expect(await read({ read: 'coil', register: 9, count: 1 }), 'the button springs back').toEqual([false]);
    clock.ms += 1_000;
    expect(await read({ read: 'discrete', register: 0, count: 2 })).toEqual([false, true]);
  });

  it('refuses what a boiler refuses', async () => {
    expect(await write('holding', 30, [199])).toEqual({ exception: 3 });
    expect(await write('holding', 30, [901], true)).toEqual({ exception: 3 });
    expect(await write('holding', 20, [1])).toEqual({ exception: 2 });
    expect(await ask({ read: 'holding', register: 12, count: 1 })).toEqual({ exception: 2 });
    expect(await ask({ read: 'holding', register: 30, count: 2 }), 'a read that touches an undefined register').toEqual({ exception: 2 });
    expect(await ask({ unit: 9, read: 'input', register: 0, count: 1 }), 'a unit that is not there').toEqual({ exception: 11 });
    // 0x2bc is 700: bits outside the range are refused, inside taken.
    expect(await write('mask', 30, [0xff00, 0x00ff])).toEqual({ value: null });
    expect(await read({ read: 'holding', register: 30, count: 1 })).toEqual([0x2ff]);
  });

  it('closes a connection that does not speak Modbus, and answers the next one', async () => {
    const closed = new Promise<void>((resolve) => {
      const socket = connect(plant.port, '127.0.0.1', () => socket.write(Buffer.alloc(100_000, 0xa5)));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
    await closed;
    expect(await flow()).toBeGreaterThan(20);
  });
});
