/** The answers of the data source's resources, as far as the panel reads them (`GET openapi.json`). Times are milliseconds since 1970. */
import type { CommandRecord, Obstacle } from '../../contract/command.ts';
import type { Parameter } from '../../contract/parameters.ts';
import type { Quality } from '../../contract/sample.ts';

/** What JSON holds of a value; exact 64-bit integers are strings of digits. */
export type Scalar = number | boolean | string | null;

export interface LastAnswer {
  value: Scalar;
  text?: string;
  quality: Quality;
  reason: string;
  time: number;
}

export interface PointAnswer {
  id: string;
  title: string;
  access: 'read' | 'write' | 'read-write';
  type?: string;
  unit?: string;
  precision?: number;
  min?: number;
  max?: number;
  enum?: Record<string, string>;
  momentary: boolean;
  write?: { min?: number; max?: number; step?: number; confirm: boolean };
  last: LastAnswer | null;
}

/** What a named command takes along. */
export type ParameterAnswer = Parameter & { name: string };

export interface DeviceAnswer {
  id: string;
  title: string;
  state: string;
  points: PointAnswer[];
  commands: { id: string; title: string; confirm: boolean; parameters: ParameterAnswer[] }[];
}

export interface Standing {
  device: string;
  point?: string;
  command?: string;
  may: boolean;
  why?: string;
  obstacles: Obstacle[];
}

export interface AccessAnswer {
  user: { login: string; name: string; role: string };
  may: { command: boolean };
  why?: string;
  targets?: Standing[];
  more?: boolean;
}

/** How many go before it, while it waits. */
export type Command = Omit<CommandRecord, 'value' | 'readBack'> & { value: Scalar; readBack?: Scalar; position?: number };

/** A problem document, whatever it says beside these. */
export interface Problem {
  /** `device-offline`: without the head that all have. Empty for what Grafana refused itself. */
  type: string;
  detail: string;
  status: number;
  extra: Record<string, unknown>;
}

/** Of a problem 428. */
export interface Question {
  nonce: string;
  reading: Scalar;
  value: Scalar;
  expires: number;
}
