/** The series of a gateway that a query means, with what is known of each: labels, names and display settings. */
import type { Point } from '../contract/device.ts';
import { limits } from '../contract/limits.ts';
import { type ColumnKind, columnKinds, type SeriesKey, seriesName } from '../contract/sample.ts';
import { displayName, legendText, pointConfig } from '../frame/display.ts';
import type { CellType, FieldConfig, Notice } from '../frame/frame.ts';
import { linear, roundTo } from '../gateway/decimals.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type Selection, selects } from './query-parse.ts';
import { listOf, show } from './settings/phrases.ts';

/** A series as the answer names it. Its point may be gone from the settings: history still answers, without unit and labels. */
export interface Named {
  key: SeriesKey;
  kind: ColumnKind;
  /** Unique in the answer. */
  name: string;
  labels: Record<string, string>;
  point: Point | undefined;
  legend: string;
}

export interface Selected {
  series: Named[];
  notices: Notice[];
}

/** In the order of device, point and kind, so that columns and colours stay where they are from one answer to the next. */
export function selectSeries(
  catalogue: readonly { device: string; point: string; kind: ColumnKind }[],
  gateway: Gateway,
  selection: Selection,
  max: number = limits.seriesPerQueryMax,
): Selected {
  // Labels last: they have to be put together, and mostly the names decide.
  const matching = catalogue.filter(
    (info) => selection.device(info.device) && selection.point(info.point) && selection.labels(labelsOf(info, gateway)),
  );
  if (matching.length === 0) return { series: [], notices: [nothingMatches(catalogue, gateway, selection)] };
  // Names are made of those that are shown: of 100,000 that match it would keep everybody waiting.
  const series = nameSeries(firstDevices(matching, max), gateway, selection.legend).slice(0, max);
  if (matching.length <= max) return { series, notices: [] };
  return {
    series,
    notices: [
      { severity: 'warning', text: `${matching.length} series match; shown are the first ${max}. Narrow devices, points or labels.` },
    ],
  };
}

/** All series of the first devices, in the order of their names, that have `max` together. Whole devices, so that a point's kinds stay together. */
function firstDevices<T extends { device: string }>(infos: readonly T[], max: number): readonly T[] {
  if (infos.length <= max) return infos;
  const byDevice = Map.groupBy(infos, ({ device }) => device);
  const first: T[] = [];
  for (const device of [...byDevice.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    if (first.length >= max) break;
    for (const info of byDevice.get(device) ?? []) first.push(info);
  }
  return first;
}

/** Two kinds of one point (its type was changed, or it says anything) are told apart by the label `kind`. */
export function nameSeries(
  infos: readonly { device: string; point: string; kind: ColumnKind }[],
  gateway: Gateway,
  legend?: string,
): Named[] {
  const kinds = new Map<string, number>();
  for (const info of infos) kinds.set(seriesName(info), (kinds.get(seriesName(info)) ?? 0) + 1);
  return [...infos].sort(inOrder).map(({ device, point: id, kind }) => {
    const key = { device, point: id };
    const split = (kinds.get(seriesName(key)) ?? 0) > 1 ? kind : undefined;
    const point = gateway.point(key);
    const labels = { ...labelsOf(key, gateway), ...(split === undefined ? {} : { kind }) };
    const titles = { device: gateway.device(device)?.title ?? device, point: point?.title ?? id };
    return {
      key,
      kind,
      name: split === undefined ? seriesName(key) : `${seriesName(key)} (${kind})`,
      labels,
      point,
      legend: legend
        ? legendText(legend, { ...labels, 'device.title': titles.device, 'point.title': titles.point })
        : displayName(titles.device, titles.point, split),
    };
  });
}

/** Of the series of a gateway: a point whose kind was changed has several. */
export function identityOf({ device, point, kind }: SeriesKey & { kind: ColumnKind }): string {
  return `${device}\n${point}\n${kind}`;
}

/** `{ device, point }` and what the settings add; a label cannot hide whose value it is. */
export function labelsOf(key: SeriesKey, gateway: Gateway): Record<string, string> {
  return { ...gateway.point(key)?.labels, device: key.device, point: key.point };
}

/** Display settings of a series in a column of this type. */
export function configOf(series: Named, type: CellType): FieldConfig {
  const { point } = series;
  return { displayNameFromDS: series.legend, ...(point ? pointConfig(point, type, storedBy(point)) : {}) };
}

/** The gateway's rule from raw to engineering value, so that the names of states are found at the values it stores. */
function storedBy(point: Point): (raw: number) => number {
  const scaled = linear(point.scale, point.offset);
  return (raw) => (point.precision === undefined ? scaled(raw) : roundTo(scaled(raw), point.precision));
}

function inOrder(a: { device: string; point: string; kind: ColumnKind }, b: typeof a): number {
  if (a.device !== b.device) return a.device < b.device ? -1 : 1;
  if (a.point !== b.point) return a.point < b.point ? -1 : 1;
  return columnKinds.indexOf(a.kind) - columnKinds.indexOf(b.kind);
}

/** Says what there is, so that whoever mistyped a name finds the right one. */
function nothingMatches(catalogue: readonly SeriesKey[], gateway: Gateway, selection: Selection): Notice {
  const planned = gateway.plan.connections.flatMap(({ devices }) => devices);
  const silent = planned
    .flatMap(({ points }) => points)
    .filter((point) =>
      selects(selection, { device: point.device, point: point.id }, labelsOf({ device: point.device, point: point.id }, gateway)),
    );
  if (silent.length > 0) {
    return {
      severity: 'info',
      text: `No sample yet of ${listOf(
        silent.map((point) => seriesName({ device: point.device, point: point.id })),
        'and',
      )}.`,
    };
  }
  const devices = [...new Set([...planned.map(({ id }) => id), ...catalogue.map(({ device }) => device)])];
  const matching = devices.filter((device) => selection.device(device));
  if (devices.length === 0) return { severity: 'info', text: 'This data source has no device and no history yet.' };
  if (matching.length === 0) return { severity: 'info', text: `No device matches. There are ${listOf(devices.map(show), 'and')}.` };
  const points = new Set(
    matching.flatMap((id) => [
      ...(gateway.device(id)?.points.map((point) => point.id) ?? []),
      ...catalogue.filter(({ device }) => device === id).map(({ point }) => point),
    ]),
  );
  return {
    severity: 'info',
    text: `No point of ${listOf(matching.map(show), 'and')} matches points and labels. There are ${listOf([...points].map(show), 'and')}.`,
  };
}
