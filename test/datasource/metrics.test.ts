import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { expectBelow } from '../quickest.ts';
import { demoSettings, type Plant, startPlant } from './plant.ts';

let far: FarProgram;
let broker: Mosquitto;
let plant: Plant;

beforeAll(async () => {
  [far, broker] = await Promise.all([startPython('modbus.py'), startMosquitto()]);
  plant = await startPlant(demoSettings({ modbus: far.port, mqtt: broker.port }));
  await plant.until('devices/boiler/points/setpoint', ({ json }) => json.last?.quality === 'good');
});
afterAll(async () => {
  await plant?.close();
  await Promise.all([far?.kill(), broker?.close()]);
});

/** Prometheus text, line by line as its format is written down; throws at the first line that is none. */
function parse(text: string): Map<string, number> {
  const values = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type?.[1]) typed.add(type[1]);
    if (line === '' || line.startsWith('#')) continue;
    const sample = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/.exec(line);
    if (!sample?.[1]) throw new Error(`no metric: ${line}`);
    const family = sample[1].replace(/_(bucket|sum|count)$/, '');
    if (!typed.has(sample[1]) && !typed.has(family)) throw new Error(`no type before: ${line}`);
    const name = `${sample[1]}${sample[2] ?? ''}`;
    if (values.has(name)) throw new Error(`twice: ${name}`);
    values.set(name, Number(sample[3]));
  }
  return values;
}

describe('metrics', () => {
  it('count what happens', async () => {
    const first = parse(await plant.datasource.collectMetrics());
    expect(first.get('fieldgate_info{version="0.0.0-test"}')).toBe(1);
    expect(first.get('fieldgate_connections{kind="modbus",state="up"}')).toBe(1);
    expect(first.get('fieldgate_devices{state="online"}')).toBe(1);
    expect(first.get('fieldgate_config_faults')).toBe(0);
    expect(first.get('fieldgate_store_up{mode="disk"}')).toBe(1);
    expect(first.get('fieldgate_connection_opens_total{kind="modbus"}')).toBe(1);

    await plant.ask('devices/boiler/points/setpoint', { method: 'POST', body: { value: 55 } });
    await plant.ask('devices/boiler/points/stubborn', { method: 'POST', body: { value: 1 } });
    const before = first.get('fieldgate_samples_total') ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = parse(await plant.datasource.collectMetrics());
    expect(second.get('fieldgate_samples_total')).toBeGreaterThan(before);
    expect(second.get('fieldgate_requests_total{kind="modbus"}')).toBeGreaterThan(
      first.get('fieldgate_requests_total{kind="modbus"}') ?? 0,
    );
    expect(second.get('fieldgate_buses{kind="modbus"}')).toBe(1);
    const busy = (of: Map<string, number>) => of.get('fieldgate_bus_busy_seconds_total{kind="modbus"}') ?? 0;
    expect(busy(second)).toBeGreaterThan(busy(first));
    expect(busy(second) - busy(first)).toBeLessThan(20);
    expect(second.get('fieldgate_traffic_bytes')).toBeGreaterThan(0);
    expect(second.get('fieldgate_store_committed_samples_total')).toBeGreaterThan(0);
    expect(second.get('fieldgate_commands_total{outcome="verified"}')).toBe(1);
    expect(second.get('fieldgate_commands_total{outcome="failed"}')).toBe(1);
    expect(second.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('name no device, host, topic or user: the endpoint is public', async () => {
    const text = await plant.datasource.collectMetrics();
    expect(text).not.toMatch(/boiler|room|plc|broker|kitchen|setpoint|127\.0\.0\.1|north|ada|Plant/);
  });

  it('are cheap to ask for', async () => {
    await expectBelow(25, async () => {
      const started = performance.now();
      await plant.datasource.collectMetrics();
      return performance.now() - started;
    });
  });

  it('do not keep a process alive', async () => {
    const script = `
      const { createMetrics } = await import(${JSON.stringify(new URL('../../src/datasource/metrics.ts', import.meta.url).href)});
      const status = () => ({ mode: 'memory', pending: 0, committed: 0, dropped: 0, commits: 0, bytesOnDisk: 0 });
      const text = await createMetrics({ store: { status }, gateways: () => [], dataSources: () => ({}), active: true, streams: () => 0, channels: () => 0, longAnswers: { dropped: 0, open: () => [] }, buses: { uses: () => ({ open: [], past: [] }) }, traffic: { bytes: 0 }, version: 'x' }).text();
      process.stdout.write(String(text.includes('fieldgate_info')));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
    expect(stdout).toBe('true');
  });
});
