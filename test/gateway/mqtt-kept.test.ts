/** What a broker is told to be kept is kept, also where the disk refuses for a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connectAsync } from 'mqtt';
import { expect, it, onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { systemClock } from '../../src/contract/clock.ts';
import { silentLog } from '../../src/contract/log.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import { openStore } from '../../src/store/open.ts';
import { startMosquitto } from '../far/mosquitto.ts';
import { rig, until } from './rig.ts';

const messages = 400;
const window = 50;

async function collecting(qos: 0 | 1) {
  const broker = await startMosquitto({ lines: ['max_queued_messages 0', `max_inflight_messages ${window}`] });
  onTestFinished(() => broker.close());
  const device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
  onTestFinished(() => device.endAsync(true));
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = openStore({ folder, clock: systemClock, log: silentLog });
  onTestFinished(() => store.close());
  const point = { id: 'n', address: { topic: 'n', qos } };
  const connection = { id: 'broker', kind: 'mqtt', url: `mqtt://127.0.0.1:${broker.port}`, clean: false, clientId: 'keeper' };
  const jsonData = JSON.stringify({ connections: [connection], devices: [{ id: 'counter', connection: 'broker', points: [point] }] });
  const start = async () => {
    const { gateway } = await rig({ factor: 1, store });
    await gateway.apply(readSettings({ jsonData: Buffer.from(jsonData), secureJsonData: {} }, drivers));
    await until('the link is up', () => gateway.connections()[0]?.state === 'up');
    return gateway;
  };
  const gateway = await start();
  await device.publishAsync('n', '0', { qos: 1 });
  await until('it is heard', () => gateway.last({ device: 'counter', point: 'n' })?.value === 0);
  await store.flush();
  /** Another program that writes to the file, for longer than anybody waits for it, is a disk that refuses. */
  const refuse = () => {
    const other = new DatabaseSync(join(folder, 'fieldgate.db'));
    other.exec('BEGIN IMMEDIATE');
    return () => other.close();
  };
  const kept = async () => {
    const everything = { fromNs: 0n, toNs: 2n ** 62n };
    const options = { quality: 'all', rowsMax: 10_000 } as const;
    const found = await store.range('1/test', [{ device: 'counter', point: 'n' }], everything, options, new AbortController().signal);
    return found.flatMap(({ columns }) => [...(columns.values as Float64Array)]);
  };
  const publish = () => Array.from({ length: messages }, (_, n) => device.publishAsync('n', String(n + 1), { qos }));
  return { store, gateway, start, refuse, kept, publish };
}

it.each([0, 1] as const)(
  'a disk that refuses for a while costs no message of QoS %i, nor their order',
  { timeout: 60_000 },
  async (qos) => {
    const { store, gateway, refuse, kept, publish } = await collecting(qos);
    const release = refuse();
    const sent = publish();
    await until('the history has failed', () => store.status().mode === 'failed', 20_000);
    release();
    await Promise.all(sent);
    await until('the last is heard', () => gateway.last({ device: 'counter', point: 'n' })?.value === messages, 20_000);
    const all = Array.from({ length: messages + 1 }, (_, n) => n);
    await expect.poll(async () => new Set(await kept()).size, { timeout: 20_000 }).toBe(messages + 1);
    // What was tried again keeps its time.
    expect([...new Set(await kept())]).toEqual(all);
    expect(gateway.counters().dropped).toBe(0);
  },
);

it('a gateway that closes meanwhile does not wait for the disk, and confirms nothing that is lost', { timeout: 60_000 }, async () => {
  const { store, gateway, start, refuse, kept, publish } = await collecting(1);
  const release = refuse();
  const sent = publish();
  await until('the history has failed', () => store.status().mode === 'failed', 20_000);
  await gateway.close();
  release();
  await Promise.all(sent);
  await until('the history works again', () => store.status().mode === 'disk', 20_000);
  // The broker still has what it was not told to be kept.
  await start();
  await expect.poll(async () => new Set(await kept()).size, { timeout: 20_000 }).toBe(messages + 1);
});
