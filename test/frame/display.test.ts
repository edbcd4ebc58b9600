import { describe, expect, it } from 'vitest';
import type { Point } from '../../src/contract/device.ts';
import { pointSchema } from '../../src/contract/device.ts';
import { displayName, pointConfig, storedKey } from '../../src/frame/display.ts';

function point(settings: Record<string, unknown>): Point {
  return { ...pointSchema.parse({ id: 'p', address: {}, ...settings }), device: 'd', intervalMs: 1_000, labels: {} } as Point;
}

describe('how a point is shown', () => {
  it('takes unit, axis and decimals from its settings', () => {
    expect(pointConfig(point({ unit: 'celsius', min: -20, max: 120, precision: 1 }), 'float64')).toEqual({
      unit: 'celsius',
      min: -20,
      max: 120,
      decimals: 1,
    });
    expect(pointConfig(point({}), 'float64')).toEqual({});
  });

  it('names states by the stored value, which is scaled, and by what JavaScript prints for it', () => {
    const off = { scale: 1, offset: 0, precision: undefined };
    expect(storedKey('1', off, 'boolean')).toBe('true');
    expect(storedKey('0', off, 'boolean')).toBe('false');
    expect(storedKey('1', off, 'float64')).toBe('1');
    expect(storedKey('true', off, 'float64')).toBe('1');
    expect(storedKey('5', { ...off, scale: 0.1 }, 'float64')).toBe('0.5');
    expect(storedKey('3', { ...off, scale: 0.1 }, 'float64')).toBe('0.30000000000000004');
    expect(storedKey('3', { scale: 0.1, offset: 0, precision: 2 }, 'float64')).toBe('0.3');
    expect(storedKey('10', { ...off, offset: -4 }, 'float64')).toBe('6');
    expect(storedKey('OFF', off, 'string')).toBe('OFF');
    expect(storedKey('18446744073709551615', off, 'uint64')).toBe('18446744073709551615');
  });

  it('keeps the order of the states', () => {
    const config = pointConfig(point({ enum: { 0: 'off', 1: 'on' } }), 'boolean');
    expect(config.mappings).toEqual([{ type: 'value', options: { false: { text: 'off', index: 0 }, true: { text: 'on', index: 1 } } }]);
  });

  it('names a series for people', () => {
    expect(displayName('Boiler', 'Flow temperature')).toBe('Boiler Flow temperature');
    expect(displayName('boiler', 'state', 'string')).toBe('boiler state (string)');
  });
});
