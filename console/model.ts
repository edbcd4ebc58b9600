/** What the screen shows, free of wire and terminal. Times are milliseconds since 1970. */

export interface Model {
  nowMs: number;
  /** `OK`, `ERROR` or `UNKNOWN`, and the sentence beside it. */
  health: { status: string; message: string };
  /** Milliseconds from exec to handshake. */
  startedInMs: number;
  connections: ConnectionRow[];
  devices: DeviceRow[];
  points: PointRow[];
  commands: CommandRow[];
  /** Things to say below the table, newest last. */
  messages: string[];
}

export interface ConnectionRow {
  id: string;
  kind: string;
  state: string;
  sinceMs: number;
  error: string;
}

export interface DeviceRow {
  id: string;
  connection: string;
  state: string;
  sinceMs: number;
}

export interface PointRow {
  device: string;
  point: string;
  value: string;
  unit: string;
  quality: string;
  reason: string;
  timeMs: number | null;
  /** The last minute, oldest first; null where nothing was heard. */
  trend: (number | null)[];
}

export interface CommandRow {
  device: string;
  point: string;
  value: string;
  state: string;
  user: string;
  timeMs: number;
  tookMs: number | null;
  detail: string;
}
