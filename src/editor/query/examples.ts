/** Queries to begin with, of a device that the user has. */
import type { PointNow } from '../reading.ts';
import type { FieldgateQuery } from '../types.ts';
import { type Ask, suggest } from './names.ts';
import { exampleTexts } from './texts.ts';

export interface Example {
  title: string;
  text: string;
  query: Omit<FieldgateQuery, 'refId'>;
}

/** Rejects as `ask` does. */
export async function examplesOf(ask: Ask): Promise<Example[]> {
  const { suggestions } = await suggest(ask, 'devices', {}, { limit: '1' });
  const device = suggestions[0]?.value;
  if (device === undefined) return general('*');
  const { points } = (await ask(`devices/${encodeURIComponent(device)}/points`)) as { points: PointNow[] };
  const number = points.find(({ type, last }) => type !== 'string' && typeof last?.value === 'number') ?? points[0];
  const state = points.find(({ type }) => type === 'boolean');
  const counter = points.find(({ unit }) => unit !== undefined && /^k?watth$/.test(unit));
  return [
    ...(number ? about(device, number) : []),
    ...(state ? [ofStates(device, state)] : []),
    ...(counter ? [ofCounter(device, counter)] : []),
    ...general(device),
  ];
}

function about(device: string, point: PointNow): Example[] {
  const of = { devices: [device], points: [point.id] };
  return [
    { ...exampleTexts.overTime(point.title), query: { queryType: 'telemetry', ...of } },
    { ...exampleTexts.live(point.title), query: { queryType: 'telemetry', ...of, live: true } },
    { ...exampleTexts.average(point.title), query: { queryType: 'telemetry', ...of, aggregate: 'avg', interval: '5m' } },
    { ...exampleTexts.age(point.title), query: { queryType: 'latest', ...of, show: 'age' } },
  ];
}

function ofStates(device: string, { id, title }: PointNow): Example {
  return {
    ...exampleTexts.states(title),
    query: { queryType: 'telemetry', devices: [device], points: [id], aggregate: 'share-in-state', interval: '1h' },
  };
}

function ofCounter(device: string, { id, title }: PointNow): Example {
  return {
    ...exampleTexts.counter(title),
    query: { queryType: 'telemetry', devices: [device], points: [id], aggregate: 'increase', interval: '1d' },
  };
}

export function general(device: string): Example[] {
  return [
    { ...exampleTexts.everything, query: { queryType: 'latest', devices: ['*'], quality: 'all' } },
    { ...exampleTexts.status, query: { queryType: 'status', devices: ['*'] } },
    { ...exampleTexts.commands, query: { queryType: 'commands', devices: [device] } },
    { ...exampleTexts.messages, query: { queryType: 'messages' } },
    { ...exampleTexts.bus, query: { queryType: 'bus' } },
  ];
}
