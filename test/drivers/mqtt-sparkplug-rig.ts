/** A gateway that is a host application, and edge nodes by a library that is not ours, at mosquitto. */
import { onTestFinished } from 'vitest';
import { drivers } from '../../drivers/index.ts';
import { readSettings } from '../../src/datasource/settings.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { Store } from '../../src/store/store.ts';
import { type FarProgram, startPython } from '../far/python.ts';
import { rig, until } from '../gateway/rig.ts';

export interface SentMetric {
  type: string | number;
  name?: string;
  alias?: number;
  value?: unknown;
  at?: number;
  historical?: boolean;
  transient?: boolean;
  file?: string;
  properties?: Record<string, [type: string, value: unknown]>;
  /** The field and what is in it, whatever the type. */
  raw?: [field: string, value: unknown];
  columns?: string[];
  types?: string[];
  rows?: unknown[][];
  definition?: boolean;
  of?: string;
  members?: SentMetric[];
}

export interface Birth {
  device?: string;
  metrics: SentMetric[];
}

/** What an edge node was told. */
export interface Told {
  topic: string;
  qos: number;
  retain: boolean;
  state?: { online: boolean; timestamp: number };
  at?: number;
  /** It has a sequence number. */
  numbered?: boolean;
  metrics?: { name: string | null; alias: number | null; type: string; at: number; value: unknown }[];
}

export class EdgeNode {
  readonly #program: FarProgram;
  readonly #as: string;

  constructor(program: FarProgram, as: string) {
    this.#program = program;
    this.#as = as;
  }

  connect(port: number, group: string, node: string, bdSeq = 0): Promise<unknown> {
    return this.do({ call: 'connect', port, group, node, bdSeq });
  }

  birth(...births: Birth[]): Promise<unknown> {
    return this.do({ call: 'birth', births });
  }

  send(type: string, device: string | undefined, metrics: SentMetric[], more: { seq?: number; retain?: boolean } = {}): Promise<unknown> {
    return this.do({ call: 'send', type, ...(device === undefined ? {} : { device }), metrics, ...more });
  }

  async heard(): Promise<Told[]> {
    return (await this.do({ call: 'heard' })) as Told[];
  }

  /** Requests for a birth so far. */
  async asked(): Promise<number> {
    return (await this.heard()).filter(({ metrics }) => metrics?.some(({ name }) => name === 'Node Control/Rebirth')).length;
  }

  async do(words: Record<string, unknown>): Promise<unknown> {
    return (await this.#program.ask({ as: this.#as, ...words })).value;
  }
}

export const startNodes = () => startPython('sparkplug_node.py');

export function planOf(port: number, sparkplug: Record<string, unknown> = {}, more: Record<string, unknown> = {}, devices: unknown[] = []) {
  const connection = {
    id: 'plant',
    kind: 'mqtt',
    url: `mqtt://127.0.0.1:${port}`,
    timeout: '2s',
    sparkplug: { hostId: 'fieldgate', reorderTimeout: '300ms', ...sparkplug },
    ...more,
  };
  return readSettings({ jsonData: Buffer.from(JSON.stringify({ connections: [connection], devices })), secureJsonData: {} }, drivers);
}

export async function running(plan: ReturnType<typeof planOf>, store?: Store): Promise<Gateway> {
  const { gateway } = await rig({ factor: 1, ...(store ? { store } : {}) });
  if (plan.faults.length > 0) throw new Error(JSON.stringify(plan.faults));
  onTestFinished(() => gateway.close());
  await gateway.apply(plan);
  await until('the link is up', () => gateway.connections()[0]?.state === 'up');
  return gateway;
}

export const there = (gateway: Gateway, id: string) => until(`${id} is there`, () => gateway.device(id));
export const says = (gateway: Gateway, device: string, point: string, value: unknown) =>
  until(`${device}.${point} says ${String(value)}`, () => gateway.last({ device, point })?.value === value);
export const is = (gateway: Gateway, device: string, state: string) =>
  until(`${device} is ${state}`, () => gateway.devices().find(({ id }) => id === device)?.state === state);
export const told = (gateway: Gateway) => gateway.discoveries()[0]?.error;
