/** `timeseries-multi`: a frame a series, each with its own times. What a query answers with unless another format is asked for. */
import type { Field, Frame } from './frame.ts';
import { isNumeric, qualityField, reasonField, type Series } from './series.ts';

/**
 * Series of numbers first and typed; series of text after them and untyped, because the contract knows no text as a value: Alerting
 * passes over them, panels show them (sdk contract_docs/timeseries.md "Remainder Data").
 */
export function multiFrames(series: readonly Series[], intervalMs?: number): Frame[] {
  return [...series.filter(isNumeric), ...series.filter((one) => !isNumeric(one))].map((one) => ({
    name: one.name,
    meta: isNumeric(one) ? { type: 'timeseries-multi' } : {},
    fields: [timeField(one.times, intervalMs), valueField(one), ...qualityFields(one)],
  }));
}

export function timeField(times: BigInt64Array, intervalMs?: number): Field {
  return { name: 'time', type: 'time', values: times, ...(intervalMs === undefined ? {} : { config: { interval: intervalMs } }) };
}

function valueField(series: Series): Field {
  return { ...series.value, name: series.point, labels: series.labels, config: series.config };
}

function qualityFields(series: Series): Field[] {
  if (!series.quality) return [];
  return [qualityField('quality', series.quality), reasonField('reason', series.reasons, series.times.length)];
}
