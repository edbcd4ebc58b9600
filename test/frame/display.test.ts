import { describe, expect, it } from 'vitest';
import type { Point } from '../../src/contract/device.ts';
import { pointSchema } from '../../src/contract/device.ts';
import { displayName, legendText, pointConfig, storedKey } from '../../src/frame/display.ts';

function point(settings: Record<string, unknown>): Point {
  return { ...pointSchema.parse({ id: 'p', address: {}, ...settings }), device: 'd', intervalMs: 1_000, labels: {} } as Point;
}

describe('how a point is shown', () => {
  it('takes unit, axis and decimals from its settings', () => {
    expect(pointConfig(point({ unit: 'celsius', min: -20, max: 120, precision: 1 }), 'float64', (raw) => raw)).toEqual({
      unit: 'celsius',
      min: -20,
      max: 120,
      decimals: 1,
    });
    expect(pointConfig(point({}), 'float64', (raw) => raw)).toEqual({});
  });

  it('names states by the stored value and by what JavaScript prints for it', () => {
    const same = (raw: number) => raw;
    expect(storedKey('1', 'boolean', same)).toBe('true');
    expect(storedKey('false', 'boolean', same)).toBe('false');
    expect(storedKey('1', 'float64', same)).toBe('1');
    expect(storedKey('true', 'float64', same)).toBe('1');
    expect(storedKey('5', 'float64', (raw) => raw / 10)).toBe('0.5');
    expect(storedKey('10', 'float64', (raw) => raw - 4)).toBe('6');
    expect(storedKey('OFF', 'string', same)).toBe('OFF');
    expect(storedKey('18446744073709551615', 'uint64', same)).toBe('18446744073709551615');
  });

  it('keeps the order of the states', () => {
    const config = pointConfig(point({ enum: { 0: 'off', 1: 'on' } }), 'boolean', (raw) => raw);
    expect(config.mappings?.[0]?.options).toMatchObject({ false: { text: 'off', index: 0 }, true: { text: 'on', index: 1 } });
  });

  it('shows a switch without names as off and on, its averages as numbers, and names of the settings before those', () => {
    const shown = (settings: object, type: 'boolean' | 'float64') => pointConfig(point({ ...settings }), type, (raw) => raw).mappings;
    expect(shown({}, 'boolean')?.[0]?.options).toMatchObject({ false: { text: 'off' }, true: { text: 'on' } });
    expect(shown({}, 'float64')).toBeUndefined();
    expect(shown({ enum: { 1: 'open' } }, 'boolean')?.[0]?.options).not.toHaveProperty('false');
  });

  it('gives states the colours of the settings, and others none that means good or bad', () => {
    const config = pointConfig(
      point({ enum: { 0: 'ok', 1: 'tripped', 2: 'test' }, colors: { ok: 'green', tripped: 'red' } }),
      'float64',
      (raw) => raw,
    );
    const options = config.mappings?.[0]?.options;
    expect([options?.['0']?.color, options?.['1']?.color]).toEqual(['green', 'red']);
    expect(options?.['2']?.color).not.toMatch(/red|green|orange|yellow/);
  });

  it('takes thresholds in rising order, green below the first', () => {
    const thresholds = [
      { from: 75, color: 'red' },
      { from: 65, color: 'orange' },
    ];
    expect(pointConfig(point({ thresholds }), 'float64', (raw) => raw).thresholds).toEqual({
      mode: 'absolute',
      steps: [
        { value: null, color: 'green' },
        { value: 65, color: 'orange' },
        { value: 75, color: 'red' },
      ],
    });
    expect(pointConfig(point({ thresholds }), 'string', (raw) => raw)).toEqual({});
  });

  it('fills a legend with labels, and leaves out what a series has not', () => {
    const words = { device: 'boiler', 'device.title': 'Boiler room', site: 'north' };
    expect(legendText('{{ device.title }} / {{site}} {{nothing}}', words)).toBe('Boiler room / north');
    expect(legendText('{{toString}}{{device}} {device}', words)).toBe('boiler {device}');
  });

  it('names a series for people', () => {
    expect(displayName('Boiler', 'Flow temperature')).toBe('Boiler Flow temperature');
    expect(displayName('boiler', 'state', 'string')).toBe('boiler state (string)');
  });
});
