/** A point and its last value as HTTP answers have them. */
import type { Device, Point } from '../../contract/device.ts';
import type { Sample } from '../../contract/sample.ts';
import { flagNames, storedKey } from '../../frame/display.ts';
import { linear, roundTo } from '../../gateway/decimals.ts';
import type { Instance } from '../instance.ts';

/**
 * `{ device, id, title, access, type, unit, precision, min, max, enum, bits, momentary, labels, write: { min, max, step }, last }`; what is not set is
 * absent. Editors also read `address` and `interval` (milliseconds).
 */
export function pointAnswer(instance: Instance, device: Device, point: Point, insider: boolean) {
  const { id, title = id, access, unit, precision, min, max, momentary, labels } = point;
  const driver = instance.gateway.plan.connections.find(({ connection }) => connection.id === device.connection)?.driver;
  const sample = instance.gateway.last({ device: device.id, point: id });
  return {
    device: device.id,
    id,
    title,
    access,
    type: driver?.shape(point.address).type,
    unit,
    precision,
    min,
    max,
    enum: point.enum,
    bits: point.bits,
    momentary,
    labels,
    ...(point.write && access !== 'read'
      ? { write: { min: point.write.min, max: point.write.max, step: point.write.step, confirm: point.write.confirm } }
      : {}),
    ...(insider ? { address: point.address, interval: point.once ? 'once' : point.intervalMs } : {}),
    last: sample ? sampleAnswer(point, sample) : null,
  };
}

/** `{ value, text, quality, reason, time, arrival }`: `text` is the name of the value where it has one, or those of its flags; times are milliseconds since 1970. */
export function sampleAnswer(point: Point, { value, quality, reason, timeNs, arrivalNs }: Sample) {
  const type =
    typeof value === 'boolean' ? 'boolean' : typeof value === 'string' ? 'string' : typeof value === 'bigint' ? 'int64' : 'float64';
  const scaled = linear(point.scale, point.offset);
  const stored = (raw: number) => (point.precision === undefined ? scaled(raw) : roundTo(scaled(raw), point.precision));
  const named = Object.entries(point.enum ?? {}).find(([raw]) => value !== null && storedKey(raw, type, stored) === String(value));
  const flags =
    point.bits && (typeof value === 'number' || typeof value === 'bigint') ? flagNames(point.bits, value).join(', ') : undefined;
  return { value, text: named?.[1] ?? flags, quality, reason, time: Number(timeNs / 1_000_000n), arrival: Number(arrivalNs / 1_000_000n) };
}
