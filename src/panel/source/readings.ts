/** What points said: from the answers of the resources, and from data frames. */
import { type DataFrame, type Field, MappingType } from '@grafana/data';
import { type Quality, qualities } from '../../contract/sample.ts';
import type { PointAnswer, Scalar } from './answers.ts';

export interface Reading {
  value: Scalar;
  /** The name of the value, where it has one. */
  text?: string | undefined;
  quality: Quality;
  reason: string;
  timeMs: number;
}

export function readingOf({ last }: PointAnswer): Reading | undefined {
  return last ? { value: last.value, text: last.text, quality: last.quality, reason: last.reason, timeMs: last.time } : undefined;
}

export function newer(one: Reading | undefined, other: Reading | undefined): Reading | undefined {
  if (!one || !other) return one ?? other;
  return other.timeMs > one.timeMs ? other : one;
}

/**
 * The newest row of each point of `device` in the frames of a data source (telemetry, wide or a frame a series, or a row a device), by point. Columns
 * are told by their labels `device` and `point`. Exact 64-bit integers are left out: in a frame a browser rounds them.
 */
export function readingsIn(frames: readonly DataFrame[], device: string): Map<string, Reading> {
  const found = new Map<string, Reading>();
  for (const frame of frames) {
    const time = frame.fields.find(({ type }) => type === 'time');
    if (!time) continue;
    for (const field of frame.fields) {
      const { device: own, point } = field.labels ?? {};
      if (own !== device || point === undefined || field === time || isExact(field)) continue;
      const reading = newestRow(frame, time, field);
      const best = newer(found.get(point), reading);
      if (best) found.set(point, best);
    }
  }
  return found;
}

/** A wide frame has holes where other points have their rows; a null with a quality beside it is a reading that is bad. */
function newestRow(frame: DataFrame, time: Field, field: Field): Reading | undefined {
  const beside = (what: string) => frame.fields.find(({ name }) => name === `${field.name} ${what}`);
  const [quality, reason] = [beside('quality'), beside('reason')];
  for (let row = frame.length - 1; row >= 0; row -= 1) {
    const value = field.values[row] as Scalar | undefined;
    const level = quality?.values[row] as number | null | undefined;
    if ((value === null || value === undefined) && (level === null || level === undefined)) continue;
    return {
      value: value ?? null,
      text: textOf(field, value ?? null),
      quality: qualities[Number(level ?? 0)] ?? 'good',
      reason: typeof reason?.values[row] === 'string' ? (reason.values[row] as string) : '',
      timeMs: Number(time.values[row]),
    };
  }
  return undefined;
}

/** The backend's frames bring the names of values as mappings. */
function textOf({ config }: Field, value: Scalar): string | undefined {
  for (const mapping of config.mappings ?? []) {
    if (mapping.type === MappingType.ValueToText && value !== null) return mapping.options[String(value)]?.text;
  }
  return undefined;
}

function isExact(field: Field): boolean {
  const { frame } = (field as { typeInfo?: { frame?: string } }).typeInfo ?? {};
  return frame === 'int64' || frame === 'uint64';
}
