/** Variables of a dashboard in a query: in every selector, and its ad hoc filters and group-by. */
import type { AdHocVariableFilter, ScopedVars } from '@grafana/data';
import { getTemplateSrv } from '@grafana/runtime';
import type { FieldgateQuery, FieldgateVariableQuery, Where } from '../types.ts';
import { wholeTypes } from './words.ts';

/** `room-$room` with two values of $room: two selectors. Values are put in afterwards because they may hold whatever a separator could be. */
export function expand(text: string, scopedVars: ScopedVars): string[] {
  const values: string[][] = [];
  const marked = getTemplateSrv().replace(text, scopedVars, (value: string | string[]) => {
    values.push(Array.isArray(value) ? value : [value]);
    return `\u0000${values.length - 1}\u0000`;
  });
  return values.reduce<string[]>(
    (texts, options, index) => texts.flatMap((start) => options.map((value) => start.replace(`\u0000${index}\u0000`, () => value))),
    [marked],
  );
}

/** One selector: several values become an expression that means any of them. */
export function expandToOne(text: string, scopedVars: ScopedVars): string {
  const selectors = expand(text, scopedVars);
  if (selectors.length === 1) return selectors[0] ?? '';
  return `/^(${selectors.map((one) => one.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})$/`;
}

export function expandLabels(labels: Readonly<Record<string, string>>, scopedVars: ScopedVars): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, selector]) => [name, expandToOne(selector, scopedVars)]));
}

export function interpolate(query: FieldgateQuery, scopedVars: ScopedVars, filters: readonly AdHocVariableFilter[] = []): FieldgateQuery {
  const text = (value: string) => getTemplateSrv().replace(value, scopedVars);
  const list = (selectors: readonly string[]) => selectors.flatMap((one) => expand(one, scopedVars));
  const { devices, ...others } = query;
  const { points, connections, labels, where, groupBy, interval, legend, filter, traceId } = others;
  const isWhole = query.queryType !== undefined && wholeTypes.includes(query.queryType);
  // A row of the editor that is not filled in yet asks nothing.
  const filled = (where ?? []).filter((one) => one.label !== '' && one.values.length > 0);
  const conditions = [...filled.map((one) => ({ ...one, values: list(one.values) })), ...filters.flatMap(conditionOf)];
  return {
    ...others,
    // Grafana puts the members of the default query into every other one; no device chosen is no choice where none is needed.
    ...(devices && !(isWhole && devices.length === 0) && { devices: list(devices) }),
    ...(points && { points: list(points) }),
    ...(connections && { connections: list(connections) }),
    ...(labels && { labels: expandLabels(labels, scopedVars) }),
    ...((where || conditions.length > 0) && { where: conditions }),
    ...(groupBy && { groupBy: list(groupBy) }),
    ...(interval !== undefined && { interval: text(interval) }),
    ...(legend !== undefined && { legend: text(legend) }),
    ...(filter !== undefined && { filter: text(filter) }),
    ...(traceId !== undefined && { traceId: text(traceId) }),
  };
}

/** Grafana's ad hoc filter; one that is not filled in yet asks nothing, and labels are texts that are neither less nor greater. */
export function conditionOf({ key, operator, value, values }: AdHocVariableFilter): Where[] {
  if (key === '') return [];
  const chosen = values && values.length > 0 ? values : [value];
  switch (operator) {
    case '=':
    case '!=':
    case '=~':
    case '!~':
      return [{ label: key, operator, values: chosen }];
    case '=|':
    case '!=|':
      return [{ label: key, operator: operator === '=|' ? '=' : '!=', values: chosen }];
    default:
      return [];
  }
}

export function interpolateVariable(query: FieldgateVariableQuery, scopedVars: ScopedVars): FieldgateVariableQuery {
  const list = (selectors: readonly string[]) => selectors.flatMap((one) => expand(one, scopedVars));
  const { devices, points, labels, label } = query;
  return {
    ...query,
    ...(devices && { devices: list(devices) }),
    ...(points && { points: list(points) }),
    ...(labels && { labels: expandLabels(labels, scopedVars) }),
    ...(label !== undefined && { label: getTemplateSrv().replace(label, scopedVars) }),
  };
}
