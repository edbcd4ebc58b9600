/** What a query string means, in the words of the query language (DESIGN §6). */
import { parseDurationMs } from '../../contract/duration.ts';
import { badPart } from '../../contract/fault.ts';
import { parseIsoMs } from '../../contract/iso-time.ts';
import { limits } from '../../contract/limits.ts';
import { querySchema, type Where } from '../../contract/query.ts';
import type { TimeRange } from '../../store/store.ts';
import { compileSelection, type Selection } from '../query-parse.ts';
import { check, placeOf } from '../settings/words.ts';

const selectorsMax = 100;

/** `device=`, `point=` and `label=name:selector`, each as often as wanted: one device and one point have to match, and every label; `where` as in a query. */
export function readSelection(query: URLSearchParams): Selection {
  const labels: [string, string][] = selectors(query, 'label', []).map((text) => {
    const colon = text.indexOf(':');
    if (colon < 1) throw badPart('label', `is ${shown(text)}; allowed is a label as name:value`);
    return [text.slice(0, colon), text.slice(colon + 1)];
  });
  return compileSelection({
    devices: selectors(query, 'device', ['*']),
    points: selectors(query, 'point', ['*']),
    labels: Object.fromEntries(labels),
    where: readWhere(query),
  });
}

/** `where=` holds the query's member of that name as JSON. */
function readWhere(query: URLSearchParams): Where[] {
  const text = query.get('where');
  if (text === null) return [];
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw badPart('where', `is ${shown(text)}; allowed is the member "where" of a query as JSON`);
  }
  const checked = check(querySchema.shape.where, raw);
  if (checked.ok) return checked.value;
  const [problem] = checked.problems;
  throw badPart(placeOf(['where', ...(problem?.path ?? [])]), problem?.message ?? 'is not understood');
}

function selectors(query: URLSearchParams, name: string, otherwise: readonly string[]): string[] {
  const given = query.getAll(name);
  if (given.length > selectorsMax) throw badPart(name, `is given ${given.length} times; allowed are ${selectorsMax}`);
  const wrong = given.find((text) => text.length > limits.patternLengthMax || text === '');
  if (wrong !== undefined) throw badPart(name, `is ${shown(wrong)}; allowed are 1 to ${limits.patternLengthMax} characters`);
  return given.length > 0 ? given : [...otherwise];
}

/** One of some words; the first if it is not given. */
export function readChoice<T extends string>(query: URLSearchParams, name: string, choices: readonly [T, ...T[]]): T {
  const text = query.get(name);
  if (text === null) return choices[0];
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw badPart(name, `is ${shown(text)}; allowed is ${choices.join(', ')}`);
  return found;
}

/** `from` and `to`, the last hour unless said: half-open. */
export function readRange(query: URLSearchParams, nowMs: number): TimeRange {
  const fromNs = readTime(query, 'from', 'now-1h', nowMs);
  const toNs = readTime(query, 'to', 'now', nowMs);
  if (fromNs >= toNs) throw badPart('from', 'is not before to; allowed is a beginning before the end');
  return { fromNs, toNs };
}

/** `limit=`, a whole number from 1. */
export function readLimit(query: URLSearchParams, usual: number, most: number): number {
  const text = query.get('limit');
  if (text === null) return usual;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > most) throw badPart('limit', `is ${shown(text)}; allowed is a whole number from 1 to ${most}`);
  return limit;
}

/** `from` and `to` where either may be open: all there is unless said. */
export function readOpenRange(query: URLSearchParams, nowMs: number): TimeRange {
  const fromNs = query.has('from') ? readTime(query, 'from', 'now', nowMs) : -(2n ** 63n);
  const toNs = query.has('to') ? readTime(query, 'to', 'now', nowMs) : 2n ** 63n - 1n;
  if (fromNs >= toNs) throw badPart('from', 'is not before to; allowed is a beginning before the end');
  return { fromNs, toNs };
}

/** Milliseconds since 1970 as in Grafana's `${__from}`, ISO 8601, or `now-1h`. */
function readTime(query: URLSearchParams, name: string, otherwise: string, nowMs: number): bigint {
  const text = query.get(name) ?? otherwise;
  const ms = parseTimeMs(text, nowMs);
  if (ms === undefined || Math.abs(ms) > timeMaxMs) {
    throw badPart(
      name,
      `is ${shown(text)}; allowed are milliseconds since 1970, a time such as 2026-01-31T12:00:00Z, and now, now-15m or now-7d`,
    );
  }
  return BigInt(Math.floor(ms)) * 1_000_000n;
}

/** Nanoseconds have 63 bits: until the year 2262. */
const timeMaxMs = 9_000_000_000_000;

function parseTimeMs(text: string, nowMs: number): number | undefined {
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  if (text === 'now') return nowMs;
  if (text.startsWith('now-')) {
    const backMs = parseDurationMs(text.slice('now-'.length));
    return backMs === undefined ? undefined : nowMs - backMs;
  }
  // Without a zone it would be read in that of the server, which nobody sees.
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)) return undefined;
  return parseIsoMs(text);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
