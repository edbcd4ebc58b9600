/** A panel's query as JSON bytes → what is asked, or a `Fault` that names the field at fault and what is allowed there. */
import { badRequest, messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import { compileLabels, compileSelector, type Matcher, type Query, querySchema, type Where } from '../contract/query.ts';
import type { SeriesKey } from '../contract/sample.ts';
import type { TimeRange } from '../store/store.ts';
import type { DataQuery } from './questions.ts';
import { check, placeOf } from './settings/words.ts';

/** Selectors of a query, compiled. */
export interface Selection {
  connection: Matcher;
  device: Matcher;
  point: Matcher;
  /** Every label asked for is there and matches. */
  labels(labels: Readonly<Record<string, string>>): boolean;
  /** How series are called, if the query says so. */
  legend?: string;
}

export interface Ask {
  refId: string;
  query: Query;
  selection: Selection;
  range: TimeRange;
  /** From the panel: the width of a pixel, and how many of them there are. */
  intervalMs: number;
  maxDataPoints: number;
  /** A panel or Explore asks, to draw it. */
  isDrawing: boolean;
}

/** `latest` is a table unless another format is asked for; series are a frame each. What goes by connections needs no devices, nor does the list of all series. */
const unlessSaid: Readonly<Record<string, Partial<Query>>> = {
  latest: { format: 'long' },
  messages: { devices: ['*'] },
  bus: { devices: ['*'] },
  explain: { devices: ['*'] },
  survey: { devices: ['*'] },
  series: { devices: ['*'] },
};

/** A query's text, read and compiled. It never changes: panels that ask the same share it. */
type Parsed = Pick<Ask, 'query' | 'selection'>;

/** Reads questions. A dashboard asks the same text again and again, so texts read lately are known, `limits.queriesKnownMax` of them. */
export function createAsks(): (data: DataQuery) => Ask {
  const known = new Map<string, Parsed>();

  return (data) => {
    const text = Buffer.from(data.json.buffer, data.json.byteOffset, data.json.byteLength).toString('latin1');
    const before = known.get(text);
    if (before) return askOf(data, before);
    const query = parseQuery(data.json);
    const parsed = { query, selection: compileSelection(query) };
    if (text.length <= limits.queryKnownBytesMax) {
      const [oldest] = known.keys();
      if (oldest !== undefined && known.size >= limits.queriesKnownMax) known.delete(oldest);
      known.set(text, parsed);
    }
    return askOf(data, parsed);
  };
}

function askOf(data: DataQuery, parsed: Parsed): Ask {
  const { fromMs, toMs } = data;
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs) || fromMs >= toMs) {
    throw badRequest(
      `timeRange is from ${fromMs} to ${toMs}; allowed is a beginning before the end, in milliseconds since 1970`,
      'timeRange',
      'bad-query',
    );
  }
  return {
    ...parsed,
    refId: data.refId,
    range: { fromNs: BigInt(Math.floor(fromMs)) * 1_000_000n, toNs: BigInt(Math.ceil(toMs)) * 1_000_000n },
    intervalMs: data.intervalMs,
    maxDataPoints: data.maxDataPoints,
    isDrawing: data.isDrawing ?? false,
  };
}

function parseQuery(json: Uint8Array): Query {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    throw badRequest(`the query is not JSON: ${messageOf(error)}`, '', 'bad-query');
  }
  const type = typeof raw === 'object' && raw !== null && 'queryType' in raw ? String(raw.queryType) : '';
  const given = Object.hasOwn(unlessSaid, type) ? { ...unlessSaid[type], ...(raw as object) } : raw;
  const checked = check(querySchema, given);
  if (checked.ok) return checked.value;
  const [problem] = checked.problems;
  const place = placeOf(problem?.path ?? []);
  throw badRequest(`${place || 'the query'} ${problem?.message ?? 'is not understood'}`, place, 'bad-query');
}

type Selecting = Pick<Query, 'devices' | 'points' | 'labels' | 'connections'> & Partial<Pick<Query, 'where' | 'legend'>>;

export function compileSelection(query: Selecting): Selection {
  const labels = compileLabels(query.labels, (selector, name) => compileAt(selector, `labels.${name}`));
  const conditions = (query.where ?? []).map((one, i) => compileWhere(one, `where[${i}]`));
  return {
    connection: anyOf((query.connections ?? ['*']).map((selector, i) => compileAt(selector, `connections[${i}]`))),
    device: anyOf(query.devices.map((selector, i) => compileAt(selector, `devices[${i}]`))),
    point: anyOf(query.points.map((selector, i) => compileAt(selector, `points[${i}]`))),
    labels: (given) => labels(given) && conditions.every((holds) => holds(given)),
    ...(query.legend === undefined ? {} : { legend: query.legend }),
  };
}

/** A label that is not there is empty, so that `!=` means what people expect of series without it. */
function compileWhere({ label, operator, values }: Where, place: string): (labels: Readonly<Record<string, string>>) => boolean {
  const isExpression = operator === '=~' || operator === '!~';
  const isOneOf = anyOf(
    values.map((value, i): Matcher => {
      if (!isExpression) return (text) => text === value;
      return value === '' ? () => true : compileAt(`/${value}/`, `${place}.values[${i}]`);
    }),
  );
  const wanted = operator === '=' || operator === '=~';
  return (labels) => isOneOf((Object.hasOwn(labels, label) ? labels[label] : '') ?? '') === wanted;
}

/** Whether a series is meant; `labels` are its labels in frames. */
export function selects(selection: Selection, key: SeriesKey, labels: Readonly<Record<string, string>>): boolean {
  return selection.device(key.device) && selection.point(key.point) && selection.labels(labels);
}

function anyOf(matchers: readonly Matcher[]): Matcher {
  return (name) => matchers.some((matches) => matches(name));
}

export function compileAt(selector: string, place: string): Matcher {
  try {
    return compileSelector(selector);
  } catch (error) {
    throw badRequest(
      `${place}: ${messageOf(error)}; allowed is a name, a glob such as "room-*" or an RE2 expression such as "/^room/"`,
      place,
      'bad-query',
    );
  }
}
