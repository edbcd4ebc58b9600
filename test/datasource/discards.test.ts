/** Answers that were thrown away are counted where operators look: metrics, health's details, the list of connections. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FarProgram, startPython } from '../far/python.ts';
import { type Plant, startPlant } from './plant.ts';

let far: FarProgram;
let plant: Plant;
/** test/far/modbus_rogue.py: 3 answers late, 4 as another unit, 5 with another transaction, 6 too short, 16 another function; 1 is well. */
const units = [1, 3, 4, 5, 6, 16];
const whys = ['late', 'unit', 'transaction', 'length', 'function'];

beforeAll(async () => {
  far = await startPython('modbus_rogue.py');
  plant = await startPlant({
    version: 1,
    connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: far.port }, timeout: '300ms' }],
    devices: units.map((unitId) => ({
      id: `u${unitId}`,
      connection: 'plc',
      address: { unitId },
      interval: '500ms',
      points: [{ id: 'r', address: { table: 'holding', register: 40 } }],
    })),
  });
});
afterAll(async () => {
  await plant?.close();
  await far?.kill();
});

it('are counted by why, and the good unit is well', async () => {
  const { json } = await plant.until('connections', (answer) => whys.every((why) => answer.json.connections?.[0]?.discarded?.[why] > 0));
  expect(new Set(Object.keys(json.connections[0].discarded))).toEqual(new Set(whys));
  const text = await plant.datasource.collectMetrics();
  for (const why of whys)
    expect(text).toMatch(new RegExp(`^fieldgate_discarded_answers_total\\{kind="modbus",reason="${why}"\\} [1-9]`, 'm'));
  expect((await plant.ask('devices/u1/points/r')).json.last).toMatchObject({ value: 40, quality: 'good' });
});
