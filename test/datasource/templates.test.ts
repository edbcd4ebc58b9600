/** Templates of discovered devices in the settings: each fault at its place, the rest runs. */
import { describe, expect, it } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';

const point = { id: 'p', address: { topic: 'home/{room}/p' } };
const room = { id: 'room-{room}', connection: 'broker', points: [point] };

function read(...devices: unknown[]) {
  const connections = [
    { id: 'broker', kind: 'mqtt', url: 'mqtt://127.0.0.1' },
    { id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: 1502 } },
  ];
  const plan = readSettings({ jsonData: Buffer.from(JSON.stringify({ connections, devices })), secureJsonData: {} }, drivers);
  return {
    faults: plan.faults.map(({ severity, place, message }) => `${severity} ${place}: ${message}`),
    devices: plan.connections.flatMap((one) => one.devices.map(({ id }) => id)),
    templates: plan.connections.flatMap((one) => one.templates ?? []),
  };
}

describe('templates', () => {
  it('are apart from devices, with their placeholders', () => {
    const plan = read(
      { ...room, title: 'Room {room}', labels: { room: '{room}' } },
      { ...room, id: 'fixed', points: [{ id: 'p', address: { topic: 'a/{{b}}' } }] },
    );
    expect(plan).toMatchObject({
      faults: [],
      devices: ['fixed'],
      templates: [
        {
          id: 'room-{room}',
          placeholders: ['room'],
          title: 'Room {room}',
          points: [{ device: 'room-{room}', labels: { room: '{room}' } }],
        },
      ],
    });
  });

  it('keep the points that are in order', () => {
    const plan = read({
      ...room,
      points: [point, { id: 'q', address: { topic: 'home/all' } }, { id: 'r', address: { topic: '{room}/{floor}' } }],
    });
    expect(plan.faults).toEqual([
      expect.stringMatching(/^error devices\[0\]\.points\[1\]\.address\.topic: .*has no \{room\}/),
      expect.stringMatching(/^error devices\[0\]\.points\[2\]\.address\.topic: .*\{floor\}, which is not in the device id/),
    ]);
    expect(plan.templates[0]?.points.map(({ id }) => id)).toEqual(['p']);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ id: '{a}{room}' }, /^error devices\[0\]\.id: .*between two placeholders/],
    [{ id: '{room} 1' }, /^error devices\[0\]\.id: .*allowed beside \{placeholders\}/],
    [{ id: 'room-{room' }, /^error devices\[0\]\.id: .*not closed/],
    [{ id: 'room}' }, /^error devices\[0\]\.id: .*placeholder/],
    [{ title: 'Room {name}' }, /^error devices\[0\]\.title: has \{name\}, which is not in the id of the device; allowed are \{room\}/],
    [{ labels: { a: '{b}' } }, /^error devices\[0\]\.labels\.a: has \{b\}/],
    [{ points: [{ ...point, labels: { a: '{' } }] }, /^error devices\[0\]\.points\[0\]\.labels\.a: .*not closed/],
    [{ points: [] }, /^error devices\[0\]\.id: .*no topic tells/],
    [{ availability: { topic: 'home/status' } }, /^error devices\[0\]\.availability\.topic: has no \{room\}/],
    [{ availability: { staleAfter: '10ms' } }, /^error devices\[0\]\.availability\.staleAfter: /],
  ])('%j is told at its place', (over, words) => {
    const { faults } = read({ ...room, ...over });
    expect(faults).toContainEqual(expect.stringMatching(words));
  });

  it('an id twice, and what other protocols cannot', () => {
    const plc = { id: 'boiler', connection: 'plc', address: { unitId: 1 }, availability: { topic: 'x', staleAfter: '5s' } };
    const { faults, devices } = read(room, room, plc, { ...plc, id: '{unit}' });
    expect(faults).toEqual([
      expect.stringMatching(/^error devices\[1\]\.id: .*has already/),
      expect.stringMatching(/^warning devices\[2\]\.availability\.topic: has no effect/),
      expect.stringMatching(/^error devices\[3\]\.id: .*does not tell which devices there are/),
      expect.stringMatching(/^warning devices\[3\]\.availability\.topic: has no effect/),
    ]);
    expect(devices).toEqual(['boiler']);
  });
});
