/** Names of devices, points and labels for pickers, and what a selection means now: asked of the backend's `suggest` and `devices`. */

import type { PointNow } from '../reading.ts';
import type { NameKind, Where } from '../types.ts';

export interface Suggestion {
  value: string;
  text?: string;
}

export interface Suggestions {
  suggestions: Suggestion[];
  more: boolean;
  total: number;
}

/** Selectors as the backend takes them, without variables. */
export interface Chosen {
  devices?: readonly string[] | undefined;
  points?: readonly string[] | undefined;
  labels?: Readonly<Record<string, string>> | undefined;
  where?: readonly Where[] | undefined;
}

/** Asks a resource of the data source. */
export type Ask = (path: string) => Promise<unknown>;

export async function suggest(ask: Ask, what: NameKind, chosen: Chosen, more: Record<string, string> = {}): Promise<Suggestions> {
  const query = new URLSearchParams({ what, ...more });
  for (const device of chosen.devices ?? []) query.append('device', device);
  for (const point of chosen.points ?? []) query.append('point', point);
  for (const [name, selector] of Object.entries(chosen.labels ?? {})) query.append('label', `${name}:${selector}`);
  if (chosen.where && chosen.where.length > 0) query.set('where', JSON.stringify(chosen.where));
  return (await ask(`suggest?${query}`)) as Suggestions;
}

/** What a selection means now. */
export interface Meaning {
  devices: number;
  /** Different names of points. */
  points: number;
  /** Some of the points, of the first device, with their last values. */
  shown: PointNow[];
}

const shownMax = 3;

export async function meaningOf(ask: Ask, chosen: Chosen): Promise<Meaning> {
  const [devices, points] = await Promise.all([
    suggest(ask, 'devices', { ...chosen, points: [] }, { limit: '1' }),
    suggest(ask, 'points', chosen, { limit: '1' }),
  ]);
  const first = devices.suggestions[0]?.value;
  if (first === undefined || points.total === 0) return { devices: devices.total, points: points.total, shown: [] };
  const [names, all] = await Promise.all([
    suggest(ask, 'points', { ...chosen, devices: [first] }),
    // A device that is gone from the settings still has a history, and no points.
    ask(`devices/${encodeURIComponent(first)}/points`).catch(() => ({ points: [] })) as Promise<{ points: PointNow[] }>,
  ]);
  const wanted = new Set(names.suggestions.map(({ value }) => value));
  return { devices: devices.total, points: points.total, shown: all.points.filter(({ id }) => wanted.has(id)).slice(0, shownMax) };
}

/** Whether a text is a pattern already, or holds a variable: then nothing is looked up for it. */
export function isPattern(text: string): boolean {
  return text.includes('*') || text.includes('$') || (text.length > 2 && text.startsWith('/') && text.endsWith('/'));
}
