/**
 * `latest`: the newest sample of each point. A reading that is bad (or below the quality asked for) is shown as null with its reason,
 * never as an older value: to Alerting that point has no data. It is the state now, whatever the time range; points that are gone from
 * the settings are shown only if they said something within it.
 */
import type { Sample } from '../contract/sample.ts';
import { qualities } from '../contract/sample.ts';
import { deviceFields } from '../frame/devices.ts';
import { type Cells, type Field, type Frame, type FrameType, type Notice, type ValueMapping, withNotices } from '../frame/frame.ts';
import { longFields } from '../frame/long.ts';
import { isNumeric, type Series } from '../frame/series.ts';
import type { SeriesInfo } from '../store/store.ts';
import { configOf, identityOf, type Named, selectSeries } from './query-series.ts';
import type { Question } from './question.ts';
import { ageThresholds, staleNotice } from './silence.ts';

interface Latest {
  named: Named;
  /** Absent if the point never said anything. */
  sample: Sample | undefined;
}

export async function answerLatest({ ask, instance, deps, signal }: Question): Promise<Frame[]> {
  const { gateway } = instance;
  const stored = await deps.store.last(instance.key);
  const current = stored.filter(
    ({ series }) => gateway.point(series) !== undefined || (series.lastNs >= ask.range.fromNs && series.firstNs < ask.range.toNs),
  );
  const catalogue = [
    ...current.map(({ series }) => series),
    ...silentPoints(
      current.map(({ series }) => series),
      gateway,
    ),
  ];
  const selected = selectSeries(catalogue, gateway, ask.selection);
  const shown = new Set(selected.series.map(({ key }) => key.device));
  const samples = new Map(
    current.flatMap(({ series, sample }) => (shown.has(series.device) ? [[identityOf(series), sample] as const] : [])),
  );
  const latest = selected.series.map((named) => ({ named, sample: samples.get(identityOf({ ...named.key, kind: named.kind })) }));
  const series =
    ask.query.show === 'age'
      ? await ages(latest, { ask, deps, instance, signal })
      : latest.map((one) => (ask.query.show === 'quality' ? qualityRow(one) : oneRow(one, ask.query.quality)));
  selected.notices.push(
    ...staleNotice(gateway, selected.series, (one) => samples.get(identityOf({ ...one.key, kind: one.kind }))?.timeNs, deps.clock.nowNs()),
  );
  if (ask.query.format === 'long') return [longFrame(latest, series, selected.notices)];
  if (ask.query.format === 'devices') return [devicesFrame(series, selected.notices)];
  return numericFrames(ask.query.format, series, selected.notices);
}

/** Points that are read but never answered: the table names them, because their silence is news. */
function silentPoints(known: readonly SeriesInfo[], gateway: Question['instance']['gateway']) {
  // Of devices that are gone there may be very many, and no point of theirs is looked for.
  const spoken = new Set(known.flatMap(({ device, point }) => (gateway.device(device) ? [`${device}\n${point}`] : [])));
  return gateway.plan.connections
    .flatMap(({ devices }) => devices)
    .flatMap(({ points }) => points)
    .filter((point) => point.access !== 'write' && !spoken.has(`${point.device}\n${point.id}`))
    .map((point) => ({ device: point.device, point: point.id, kind: 'double' as const }));
}

function oneRow({ named, sample }: Latest, quality: Question['ask']['query']['quality']): Series {
  const worst = { good: 0, usable: 1, all: 2 }[quality];
  const level = sample ? qualities.indexOf(sample.quality) : 2;
  const value = cellOf(named, level <= worst ? sample : undefined);
  return {
    name: named.name,
    point: named.key.point,
    labels: named.labels,
    config: configOf(named, value.type),
    times: BigInt64Array.of(sample?.timeNs ?? 0n),
    value,
    quality: Uint8Array.of(level),
    reasons: [sample?.reason ?? ''],
  };
}

/** How bad the newest sample is, as a number; null if there never was one. */
function qualityRow(latest: Latest): Series {
  const row = oneRow(latest, 'all');
  const level = row.quality?.[0] ?? 2;
  return {
    ...row,
    value: { type: 'float64', values: Float64Array.of(level), valid: Uint8Array.of(latest.sample ? 1 : 0) },
    config: { displayNameFromDS: latest.named.legend, min: 0, max: 2, decimals: 0, mappings: qualityMappings },
  };
}

const qualityMappings: ValueMapping[] = [
  {
    type: 'value',
    options: {
      0: { text: 'good', color: 'green', index: 0 },
      1: { text: 'uncertain', color: 'yellow', index: 1 },
      2: { text: 'bad', color: 'red', index: 2 },
    },
  },
];

/**
 * Seconds since the last sample that is good enough. Where the newest is not, the history of the time range is asked; if there is none either, it is
 * as old as the range is long, at least. Null if the point never said anything.
 */
async function ages(
  latest: readonly Latest[],
  { ask, deps, instance, signal }: Pick<Question, 'ask' | 'deps' | 'instance' | 'signal'>,
): Promise<Series[]> {
  const { gateway } = instance;
  const offline = new Set(gateway.devices().flatMap(({ id, state }) => (state === 'offline' ? [id] : [])));
  const { quality } = ask.query;
  const worst = { good: 0, usable: 1, all: 2 }[quality];
  const nowNs = deps.clock.nowNs();
  const rows: Series[] = [];
  for (const one of latest) {
    const row = oneRow(one, 'all');
    let lastNs = one.sample?.timeNs;
    if (one.sample && qualities.indexOf(one.sample.quality) > worst) {
      const range = { fromNs: ask.range.fromNs, toNs: nowNs };
      const found = await deps.store.range(instance.key, [one.named.key], range, { quality, rowsMax: 1 }, signal);
      const own = found.find(({ series }) => series.kind === one.named.kind);
      lastNs = own?.columns.times.at(-1) ?? ask.range.fromNs;
    }
    const seconds = lastNs === undefined ? 0 : Math.max(0, Number(nowNs - lastNs) / 1e9);
    const thresholds = ageThresholds(gateway, one.named, offline);
    rows.push({
      ...row,
      value: { type: 'float64', values: Float64Array.of(seconds), valid: Uint8Array.of(lastNs === undefined ? 0 : 1) },
      config: { displayNameFromDS: one.named.legend, unit: 's', min: 0, ...(thresholds && { thresholds }) },
    });
  }
  return rows;
}

function cellOf(named: Named, sample: Sample | undefined): Cells {
  const value = sample?.value ?? null;
  const valid = Uint8Array.of(value === null ? 0 : 1);
  switch (named.kind) {
    case 'double':
      return { type: 'float64', values: Float64Array.of(Number(value ?? 0)), valid };
    case 'int64':
      return { type: 'int64', values: BigInt64Array.of(typeof value === 'string' ? 0n : BigInt(value ?? 0)), valid };
    case 'uint64':
      return { type: 'uint64', values: BigUint64Array.of(typeof value === 'string' ? 0n : BigInt(value ?? 0)), valid };
    case 'boolean':
      return { type: 'boolean', values: Uint8Array.of(value === true ? 1 : 0), valid };
    case 'string':
      return { type: 'string', values: [String(value ?? '')], valid };
  }
}

/** A table for people that Alerting reads as one number per device, point and labels. */
function longFrame(latest: readonly Latest[], series: readonly Series[], notices: Notice[]): Frame {
  if (series.length === 0) return { meta: withNotices({ type: 'numeric-long' }, notices), fields: [] };
  const order = { series: Uint16Array.from(series, (_, i) => i), row: new Uint32Array(series.length) };
  const heard = Uint8Array.from(latest, ({ sample }) => (sample ? 1 : 0));
  const time: Field = {
    name: 'time',
    type: 'time',
    values: BigInt64Array.from({ length: series.length }, (_, i) => series[i]?.times[0] ?? 0n),
    valid: heard,
  };
  return {
    meta: withNotices({ type: 'numeric-long', preferredVisualisationType: 'table' }, notices),
    fields: [
      time,
      ...longFields(series, order, { units: true, quality: true }).map((field) =>
        field.name === 'quality' ? { ...field, valid: heard } : field,
      ),
    ],
  };
}

/** For tables of like devices and for maps. No type of Alerting's: numbers of several columns are no numbers to compare. */
function devicesFrame(series: readonly Series[], notices: Notice[]): Frame {
  return { meta: withNotices({ preferredVisualisationType: 'table' }, notices), fields: series.length === 0 ? [] : deviceFields(series) };
}

/** A field or a frame per point, each with its own unit: for stat and gauge panels. Text is no number and is left to the table. */
function numericFrames(format: 'multi' | 'wide', series: readonly Series[], notices: Notice[]): Frame[] {
  const type: FrameType = `numeric-${format}`;
  const numbers = series.filter(isNumeric);
  const texts = series.length - numbers.length;
  const said: Notice[] = texts === 0 ? notices : [...notices, { severity: 'info', text: leftOut(texts) }];
  const fields: Field[] = numbers.map((one) => ({ ...one.value, name: one.point, labels: one.labels, config: one.config }));
  if (format === 'wide' || fields.length === 0) return [{ meta: withNotices({ type }, said), fields }];
  return fields.map((field, i) => ({
    name: numbers[i]?.name ?? '',
    meta: i === 0 ? withNotices({ type }, said) : { type },
    fields: [field],
  }));
}

function leftOut(texts: number): string {
  return texts === 1
    ? '1 point holds text and is left out; format long shows it.'
    : `${texts} points hold text and are left out; format long shows them.`;
}
