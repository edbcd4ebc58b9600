/** Device times that name no zone (Tasmota writes such): Python's calendar says what they mean. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { deviceTimeNs, zoneOf } from '../../drivers/mqtt/time.ts';
import { startMosquitto } from '../far/mosquitto.ts';
import { driver, lineTo, listen, open, pointsOf } from './mqtt-session.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'Pacific/Auckland',
];

describe('a time without a zone', () => {
  it('means what Python says, in the hours when the clocks change too', () => {
    const nights = [
      '2026-03-29',
      '2026-10-25',
      '2026-03-08',
      '2026-11-01',
      '2026-04-05',
      '2026-10-04',
      '2026-09-27',
      '2018-11-04',
      '2018-02-18',
    ];
    const cases = zones.flatMap((zone) => [
      ...nights.flatMap((day) =>
        Array.from({ length: 5 * 12 }, (_, i) => `${zone} ${day}T0${Math.floor(i / 12)}:${String((i % 12) * 5).padStart(2, '0')}:07`),
      ),
      ...Array.from({ length: 200 }, (_, i) => `${zone} ${new Date(1.5e12 + i * 2_345_678_901).toISOString().slice(0, 19)}`),
    ]);
    const script = fileURLToPath(new URL('../far/local_times.py', import.meta.url));
    const wanted = execFileSync('python3', [script], { input: cases.join('\n'), encoding: 'utf8' })
      .trim()
      .split('\n');
    const known = new Map(zones.map((zone) => [zone, zoneOf(zone)]));
    const ours = cases.map((line) => {
      const [zone = '', text] = line.split(' ');
      return String(BigInt(deviceTimeNs(text, undefined, known.get(zone))) / 1_000_000_000n);
    });
    const wrong = cases.flatMap((line, i) => (ours[i] === wanted[i] ? [] : [`${line}: ${ours[i]}, Python ${wanted[i]}`]));
    expect(wrong).toEqual([]);
  });

  it('is taken with "timezone", and told without', async () => {
    const broker = await startMosquitto();
    const line = lineTo(`mqtt://127.0.0.1:${broker.port}`, {
      zoned: { topic: 't', path: '$.POWER', time: '$.Time', timezone: 'Europe/Berlin' },
      bare: { topic: 't', path: '$.POWER', time: '$.Time' },
    });
    const session = await open(line);
    const ear = listen(session, pointsOf(line));
    await session.ready?.();
    await broker.publish('t', '{"Time":"2026-07-01T12:00:00","POWER":"ON"}');
    await expect.poll(() => ear.readings.length, { timeout: 5_000 }).toBe(2);
    const of = (id: string) => ear.readings.find(({ point }) => point.id === id);
    expect(of('zoned')?.timeNs).toBe(BigInt(Date.UTC(2026, 6, 1, 10)) * 1_000_000n);
    expect(of('bare')).toMatchObject({ timeUnreadable: true });
    expect(ear.troubles.get('bare')).toMatch(
      /at \$\.Time is a local time without its zone .* say which by "timezone"; the time of arrival is used/,
    );
    await session.close();
    await broker.close();
    const faults = driver.address.safeParse({ topic: 't', timezone: 'Mars/Olympus' }).error?.issues.map(({ message }) => message);
    expect(faults?.join()).toMatch(/no time zone that is known/);
  });
});
