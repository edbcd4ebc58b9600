/** What a birth says of an edge node or a device: its metrics, and the device of ours they make. Pure. */
import { createHash } from 'node:crypto';
import { limits } from '../../../src/contract/limits.ts';
import { parseTemplateId } from '../../../src/contract/template-id.ts';
import { grafanaUnit } from '../homeassistant/units.ts';
import type { Metric, Property, Raw } from './payload.ts';
import type { SparkplugOptions } from './settings.ts';
import { nameOf, type Place } from './topic.ts';
import { isWritable, template, typeName } from './values.ts';

/** A metric with the name it has among all of the device: members of a template stand behind the name of their instance. */
export interface NamedMetric {
  name: string;
  metric: Metric;
}

/** Metrics and, in place of templates, their members. `nameOf` knows the names of aliases; what has none is undefined. */
export function flatten(
  metrics: readonly Metric[],
  nameOf: (alias: bigint) => string | undefined,
): { name: string | undefined; metric: Metric }[] {
  return metrics.flatMap((metric) => {
    const name = metric.name ?? (metric.alias === undefined ? undefined : nameOf(metric.alias));
    if (metric.value?.is !== 'template') return metric.type === template ? [] : [{ name, metric }];
    // A definition says what there may be, and has no values.
    if (metric.value.value.isDefinition) return [];
    if (name === undefined) return [{ name, metric }];
    const { timestampMs, isHistorical, isTransient } = metric;
    return flatten(metric.value.value.metrics, () => undefined).map((member) => ({
      name: member.name === undefined ? undefined : `${name}/${member.name}`,
      metric: {
        ...member.metric,
        timestampMs: member.metric.timestampMs ?? timestampMs,
        isHistorical: member.metric.isHistorical || isHistorical,
        isTransient: member.metric.isTransient || isTransient,
      },
    }));
  });
}

const ids = { node: parseTemplateId('{group}-{node}'), device: parseTemplateId('{group}-{node}-{device}') };

/** Reversible and its own for every place; one that would be too long ends in its hash. */
export function deviceId(place: Place): string {
  const { group, node, device } = place;
  try {
    return device === undefined ? ids.node.fill({ group, node }) : ids.device.fill({ group, node, device });
  } catch {
    return `${nameOf(place)
      .replaceAll(/[^A-Za-z0-9_-]/g, '_')
      .slice(0, 48)}-${hashOf(nameOf(place))}`;
  }
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);
const plainOf = (name: string) => name.replaceAll(/[^A-Za-z0-9_-]/g, '_');

/** Ids of points, by name: as the name is, spelt plainly; where two would be the same, or too long, with a hash. So the order does not matter. */
export function pointIds(names: readonly string[]): Map<string, string> {
  const users = new Map<string, number>();
  for (const name of names) users.set(plainOf(name), (users.get(plainOf(name)) ?? 0) + 1);
  const idFor = (name: string) => {
    const plain = plainOf(name);
    if (plain.length <= 64 && (plain === name || users.get(plain) === 1)) return plain;
    return `${plain.slice(0, 51)}_${hashOf(name)}`;
  };
  return new Map(names.map((name) => [name, idFor(name)]));
}

/** Orders to an edge node or a device that it lists among its metrics. */
const isControl = (name: string) => /^(Node|Device) Control\//.test(name);
const isButton = ({ name, metric }: NamedMetric) => isControl(name) && typeName(metric.type) === 'Boolean';

export interface Description {
  /** A device in the language of the settings. */
  raw: Record<string, unknown>;
  /** What is not taken, and why; undefined if all is. */
  fault: string | undefined;
}

export function describe(place: Place, metrics: readonly NamedMetric[], commands: SparkplugOptions['commands']): Description {
  const isSettable = commands === 'all' || (commands === 'devices' && place.device !== undefined);
  const id = deviceId(place);
  const { group, node, device } = place;
  // A button that may not be pressed says nothing.
  const wanted = metrics.filter((one) => one.name !== 'bdSeq' && (isSettable || !isButton(one)));
  const pointId = pointIds(wanted.map(({ name }) => name));
  const points: Record<string, unknown>[] = [];
  let bytes = Buffer.byteLength(nameOf(place)) * 4 + 512;
  for (const one of wanted) {
    const point = pointOf(one, pointId.get(one.name) ?? one.name, isSettable);
    bytes += Buffer.byteLength(JSON.stringify(point)) + 1;
    if (bytes > limits.announcedBytesMax) break;
    points.push(point);
  }
  const left = wanted.length - points.length;
  const labels = {
    group: group.slice(0, 256),
    node: node.slice(0, 256),
    ...(device === undefined ? {} : { device: device.slice(0, 256) }),
  };
  return {
    raw: {
      id,
      title: nameOf(place).slice(0, 128),
      address: { sparkplug: { group, node, ...(device === undefined ? {} : { device }) } },
      labels,
      points,
    },
    fault:
      left > 0
        ? `${left} of ${wanted.length} metrics of ${nameOf(place)} are left out: one device is described in at most ${limits.announcedBytesMax} bytes`
        : undefined,
  };
}

function pointOf({ name, metric }: NamedMetric, id: string, isSettable: boolean): Record<string, unknown> {
  const type = typeName(metric.type);
  const properties = propertiesOf(metric.properties);
  const settable = isSettable && isWritable(type) && properties('readonly') !== true && properties('writable') !== false;
  const button = settable && isControl(name) && type === 'Boolean';
  const unit =
    type === 'DateTime'
      ? 'dateTimeAsIso'
      : grafanaUnit(textOf(properties('engunit') ?? properties('engineeringunits') ?? properties('unit')));
  const [min, max] = [properties('englow'), properties('enghigh')];
  const write = settable && typeof min === 'number' && typeof max === 'number' && min < max ? { min, max } : undefined;
  return {
    id,
    ...(id === name ? {} : { title: name.slice(0, 128) }),
    address: { metric: name, type },
    ...(button ? { access: 'write', momentary: true } : settable ? { access: 'read-write' } : {}),
    ...(unit === undefined ? {} : { unit }),
    ...(write ? { write } : {}),
    // An edge node says what has changed (report by exception): a value holds until the next.
    ...(button ? {} : { report: { onChange: true } }),
  };
}

/** By name, whatever its case: products differ. */
function propertiesOf(properties: ReadonlyMap<string, Property>): (name: string) => Raw['value'] | undefined {
  const known = new Map(Array.from(properties, ([key, { value }]) => [key.toLowerCase(), value?.value] as const));
  return (name) => known.get(name);
}

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value.slice(0, 50) : undefined);

/** What the property "Quality" says (§6.4.9): 192 good, 500 stale, 0 bad; products also have the codes of OPC between 0 and 255. Undefined: good. */
export function faultyQuality(metric: Metric): string | undefined {
  const raw = propertiesOf(metric.properties)('quality');
  if (typeof raw !== 'number' && typeof raw !== 'bigint') return undefined;
  const code = Number(BigInt.asIntN(32, BigInt(Math.trunc(Number(raw)))));
  if (code === 500) return 'the edge node says that it is stale (quality 500)';
  return (code & 0xc0) === 0xc0 && code > 0 && code < 500 ? undefined : `the edge node says that it is bad (quality ${code})`;
}
