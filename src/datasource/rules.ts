/** What a point's settings say of its history: whether a value holds until the next one, and how its counter comes back to low values. */
import type { Point } from '../contract/device.ts';
import type { Shape } from '../contract/driver.ts';
import type { Aggregate } from '../contract/query.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { CounterRule, SeriesRule } from '../store/store.ts';
import type { Named } from './query-series.ts';

/** A sample that is due after `maxSilence` comes with the next poll after it, and polls may be late by one. */
const latePolls = 2;

export function ruleOf({ point, kind }: Pick<Named, 'point' | 'kind'>, aggregate: Aggregate, gateway: Gateway): SeriesRule {
  if (!point) return {};
  switch (aggregate) {
    case 'avg':
      return point.report?.onChange ? holdOf(point) : {};
    case 'time-in-state':
    case 'share-in-state':
      return holdOf(point);
    case 'increase':
    case 'rate':
      return { counter: counterOf(point, kind === 'double', shapeOf(point, gateway)) };
    default:
      return {};
  }
}

function holdOf({ report, intervalMs }: Point): SeriesRule {
  const maxMs = report?.maxSilence;
  return { hold: maxMs === undefined ? {} : { maxNs: BigInt(Math.round((maxMs + latePolls * intervalMs) * 1e6)) } };
}

/** In engineering units. A point that is not said to be a counter may have fallen for any reason: it is taken for one that begins again. */
function counterOf({ counter, scale, offset }: Point, isDouble: boolean, shape: Shape | undefined): CounterRule {
  if (!counter) return { resets: true, zero: offset };
  const greatest = counter.max ?? (shape?.type === 'integer' ? shape.max : undefined);
  const rule = { resets: counter.resets, zero: offset };
  if (greatest === undefined) return { ...rule, resets: true };
  if (!isDouble) return { ...rule, modulus: BigInt(greatest) + 1n };
  return { ...rule, modulus: Math.abs(scale) * (Number(greatest) + stepOf(greatest)) };
}

/** The least step of a counter, by the digits of its greatest value: that of 99999.9 is 0.1. */
function stepOf(greatest: number | string | bigint): number {
  const decimals = String(greatest).split('.')[1]?.length ?? 0;
  return Number(`1e-${decimals}`);
}

function shapeOf(point: Point, gateway: Gateway): Shape | undefined {
  const connection = gateway.device(point.device)?.connection;
  const placed = gateway.plan.connections.find((one) => one.connection.id === connection);
  return placed?.driver.shape(point.address);
}
