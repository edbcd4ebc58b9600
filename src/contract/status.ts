/** What is reachable and since when: the answer of the gateway to health, metrics, resources and the status query. */
import type { Discard } from './driver.ts';

export type LinkState = 'connecting' | 'up' | 'down' | 'stopped';

export interface ConnectionStatus {
  id: string;
  kind: string;
  title: string;
  state: LinkState;
  /** When this state began, milliseconds since 1970. */
  sinceMs: number;
  /** Why it is down, in words; no secret. */
  error?: string;
  /** Endpoint for operators; not shown to Viewers. */
  endpoint: string;
  /** Times the link was opened. */
  opens: number;
  requests: number;
  failures: number;
  /** Polls that were due while the last one was still waiting. */
  overruns: number;
  /** Answers that came and were thrown away, by why; only what has happened. */
  discarded: Partial<Record<Discard, number>>;
  queued: number;
}

/** `unknown` until the first answer or the first failure. */
export type DeviceState = 'online' | 'offline' | 'unknown';

export interface DeviceStatus {
  id: string;
  title: string;
  connection: string;
  state: DeviceState;
  sinceMs: number;
  /** The last good sample of any point, milliseconds since 1970. */
  lastSeenMs?: number;
  /** What is wrong, in words. */
  error?: string;
  samples: number;
  badSamples: number;
}

/** A change of a device's connectivity, as kept in the history. */
export interface ConnectivityChange {
  device: string;
  timeNs: bigint;
  state: DeviceState;
  reason: string;
}

/** What became of a template of discovered devices, or of devices that announce themselves. */
export interface DiscoveryStatus {
  /** Its id, with placeholders; or the convention that is followed. */
  template: string;
  connection: string;
  /** Devices that run, made of it. */
  devices: number;
  /** Devices that were heard and may not run. */
  refused: number;
  /** Why the last one may not, or what is wrong with hearing of them, in words. */
  error?: string;
}
