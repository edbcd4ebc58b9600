import { describe, expect, it } from 'vitest';
import type { Model } from '../../console/model.ts';
import { parseOrder } from '../../console/prompt.ts';
import { draw, plain, wrapped } from '../../console/screen.ts';

const model: Model = {
  nowMs: 1_700_000_000_000,
  startedInMs: 100,
  health: { status: 'OK', message: '1 of 1 connections up' },
  connections: [{ id: 'plc', kind: 'modbus', state: 'up', sinceMs: 1_699_999_990_000, error: '' }],
  devices: [{ id: 'boiler', connection: 'plc', state: 'online', sinceMs: 1_699_999_990_000 }],
  points: Array.from({ length: 30 }, (_, i) => ({
    device: 'boiler',
    point: `point_${i}`,
    value: String(i),
    unit: '°C',
    quality: 'good',
    reason: '',
    timeMs: 1_699_999_999_500,
    trend: [1, 2, 3],
  })),
  commands: [],
  messages: ['first', 'second', 'boiler.setpoint = 55: verified'],
};

describe('the screen', () => {
  it.each([
    [120, 40],
    [80, 24],
    [50, 11],
    [20, 4],
    [40, 1],
  ])('fits %d columns and %d lines, and the last answer is always there', (width, height) => {
    const lines = draw(model, { width, height }, plain);
    expect(lines.length).toBeLessThanOrEqual(height);
    expect(lines.join('')).toContain('verified');
  });

  it('counts the points it has no room for, and shows the last one where it has', () => {
    expect(draw(model, { width: 80, height: 24 }, plain).join('\n')).toMatch(/and \d+ more/);
    const roomy = draw(model, { width: 80, height: 60 }, plain).join('\n');
    expect(roomy).toContain('boiler.point_29');
    expect(roomy).not.toMatch(/and \d+ more/);
  });

  it('lets nothing that somebody sent reach the terminal as a control sequence', () => {
    const hostileText = '\u001b[2J\u0007\u202e';
    const hostile: Model = {
      ...model,
      messages: [hostileText],
      commands: [
        {
          device: 'boiler',
          point: 'note',
          value: hostileText,
          state: 'verified',
          user: hostileText,
          timeMs: 0,
          tookMs: 1,
          detail: hostileText,
        },
      ],
      points: model.points.map((row) => ({ ...row, value: hostileText, unit: hostileText, reason: hostileText })),
      connections: model.connections.map((row) => ({ ...row, state: 'down', error: hostileText })),
    };
    expect(draw(hostile, { width: 120, height: 40 }, plain).join('')).not.toMatch(/\p{C}/u);
  });

  it('breaks long sentences between words and long words anywhere', () => {
    expect(wrapped('a sentence of words', 10)).toEqual(['a sentence', 'of words']);
    expect(wrapped('x'.repeat(25), 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)]);
  });
});

describe('what is typed', () => {
  it.each([
    ['set boiler.setpoint 55', { kind: 'set', device: 'boiler', point: 'setpoint', value: 55 }],
    ['  set   north.hall.lamp   true  ', { kind: 'set', device: 'north.hall', point: 'lamp', value: true }],
    ['set d.p -0.5 too warm', { kind: 'set', device: 'd', point: 'p', value: -0.5, reason: 'too warm' }],
    ['set d.p "0012 a" by hand', { kind: 'set', device: 'd', point: 'p', value: '0012 a', reason: 'by hand' }],
    ['set d.p "true"', { kind: 'set', device: 'd', point: 'p', value: 'true' }],
    ['set d.p 18446744073709551615', { kind: 'set', device: 'd', point: 'p', value: '18446744073709551615' }],
    ['set d.p NaN', { kind: 'set', device: 'd', point: 'p', value: 'NaN' }],
    ['read a.b.c', { kind: 'read', device: 'a.b', point: 'c' }],
    ['filter', { kind: 'filter', text: '' }],
    ['q', { kind: 'quit' }],
  ])('%s', (line, order) => expect(parseOrder(line)).toEqual(order));

  it.each(['set', 'set boiler 5', 'set boiler.setpoint', 'set .x 5', 'read', 'read boiler.', 'launch the rocket', ''])(
    '"%s" is answered with what is known',
    (line) => {
      const order = parseOrder(line);
      expect(order.kind === 'mistake' && order.message).toMatch(/set|read/);
    },
  );
});
