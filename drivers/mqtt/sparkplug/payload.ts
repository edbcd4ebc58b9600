/**
 * Payloads of Sparkplug B (specification 3.0, §6.4.1), read and written by the public field numbers: proto/SOURCES.md says whose contract it is. What is
 * of no use here (UUIDs of schemas, bodies, parameters of templates) is skipped.
 */
import { limits } from '../../../src/contract/limits.ts';
import { FieldReader, FieldWriter } from './wire.ts';

/** What a metric, a property or a cell of a table holds, by the field it stood in. */
export type Raw =
  | { is: 'int'; value: number }
  | { is: 'long'; value: bigint }
  | { is: 'float' | 'double'; value: number }
  | { is: 'boolean'; value: boolean }
  | { is: 'string'; value: string }
  | { is: 'bytes'; value: Buffer }
  | { is: 'dataset'; value: DataSet }
  | { is: 'template'; value: Template };

export interface DataSet {
  columns: string[];
  types: number[];
  rows: (Raw | undefined)[][];
}

export interface Template {
  isDefinition: boolean;
  metrics: Metric[];
}

export interface Property {
  type: number;
  value: Raw | undefined;
}

export interface Metric {
  name: string | undefined;
  alias: bigint | undefined;
  /** Milliseconds since 1970. */
  timestampMs: bigint | undefined;
  /** A number of the enumeration DataType; undefined where it is known from the birth. */
  type: number | undefined;
  isHistorical: boolean;
  isTransient: boolean;
  isNull: boolean;
  fileName: string | undefined;
  properties: ReadonlyMap<string, Property>;
  value: Raw | undefined;
}

export interface Payload {
  timestampMs: bigint | undefined;
  seq: bigint | undefined;
  metrics: Metric[];
}

const noProperties: ReadonlyMap<string, Property> = new Map();

/** Throws an Error that goes on from "the message". */
export function readPayload(bytes: Buffer): Payload {
  const payload: Payload = { timestampMs: undefined, seq: undefined, metrics: [] };
  const reader = new FieldReader(bytes);
  const budget = { metrics: limits.sparkplugMetricsMax };
  while (reader.next()) {
    if (reader.field === 1) payload.timestampMs = reader.uint64();
    else if (reader.field === 2) payload.metrics.push(readMetric(reader.message(), 0, budget));
    else if (reader.field === 3) payload.seq = reader.uint64();
    else reader.skip();
  }
  return payload;
}

function readMetric(reader: FieldReader, depth: number, budget: { metrics: number }): Metric {
  budget.metrics -= 1;
  if (budget.metrics < 0) throw new Error(`has more than ${limits.sparkplugMetricsMax} metrics`);
  const metric: Metric = {
    name: undefined,
    alias: undefined,
    timestampMs: undefined,
    type: undefined,
    isHistorical: false,
    isTransient: false,
    isNull: false,
    fileName: undefined,
    properties: noProperties,
    value: undefined,
  };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        metric.name = reader.text();
        break;
      case 2:
        metric.alias = reader.uint64();
        break;
      case 3:
        metric.timestampMs = reader.uint64();
        break;
      case 4:
        metric.type = reader.uint32();
        break;
      case 5:
        metric.isHistorical = reader.bool();
        break;
      case 6:
        metric.isTransient = reader.bool();
        break;
      case 7:
        metric.isNull = reader.bool();
        break;
      case 8:
        metric.fileName = readFileName(reader.message());
        break;
      case 9:
        metric.properties = readProperties(reader.message());
        break;
      case 17:
        metric.value = { is: 'dataset', value: readDataSet(reader.message()) };
        break;
      case 18:
        metric.value = { is: 'template', value: readTemplate(reader.message(), depth + 1, budget) };
        break;
      default:
        metric.value = readScalar(reader, 10) ?? metric.value;
    }
  }
  return metric;
}

/** One of the seven fields that begin at `first`; skips any other. */
function readScalar(reader: FieldReader, first: number): Raw | undefined {
  switch (reader.field - first) {
    case 0:
      return { is: 'int', value: reader.uint32() };
    case 1:
      return { is: 'long', value: reader.uint64() };
    case 2:
      return { is: 'float', value: reader.float() };
    case 3:
      return { is: 'double', value: reader.double() };
    case 4:
      return { is: 'boolean', value: reader.bool() };
    case 5:
      return { is: 'string', value: reader.text() };
    case 6:
      // Of a metric these are bytes, of a cell or a property an extension.
      if (first !== 10) break;
      return { is: 'bytes', value: Buffer.from(reader.bytes()) };
  }
  reader.skip();
  return undefined;
}

function readFileName(reader: FieldReader): string | undefined {
  let name: string | undefined;
  while (reader.next()) {
    if (reader.field === 5) name = reader.text();
    else reader.skip();
  }
  return name;
}

/** Two lists of equal length (§6.4.8); sets within sets are of no use here. */
function readProperties(reader: FieldReader): ReadonlyMap<string, Property> {
  const keys: string[] = [];
  const values: Property[] = [];
  while (reader.next()) {
    if (reader.field === 1) keys.push(reader.text());
    else if (reader.field === 2) values.push(readProperty(reader.message()));
    else reader.skip();
  }
  if (keys.length !== values.length) throw new Error(`has ${keys.length} names of properties and ${values.length} values`);
  return new Map(keys.flatMap((key, index) => (values[index] ? [[key, values[index]] as const] : [])));
}

function readProperty(reader: FieldReader): Property {
  const property: Property = { type: 0, value: undefined };
  while (reader.next()) {
    if (reader.field === 1) property.type = reader.uint32();
    else property.value = readScalar(reader, 3) ?? property.value;
  }
  return property;
}

function readDataSet(reader: FieldReader): DataSet {
  const set: DataSet = { columns: [], types: [], rows: [] };
  while (reader.next()) {
    if (reader.field === 2) set.columns.push(reader.text());
    else if (reader.field === 3) set.types.push(...reader.uint32s());
    else if (reader.field === 4) set.rows.push(readRow(reader.message()));
    else reader.skip();
  }
  return set;
}

function readRow(reader: FieldReader): (Raw | undefined)[] {
  const row: (Raw | undefined)[] = [];
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const cell = reader.message();
    let value: Raw | undefined;
    while (cell.next()) value = readScalar(cell, 1) ?? value;
    row.push(value);
  }
  return row;
}

function readTemplate(reader: FieldReader, depth: number, budget: { metrics: number }): Template {
  if (depth > limits.sparkplugTemplateDepthMax)
    throw new Error(`has templates within templates more than ${limits.sparkplugTemplateDepthMax} deep`);
  const template: Template = { isDefinition: false, metrics: [] };
  while (reader.next()) {
    if (reader.field === 2) template.metrics.push(readMetric(reader.message(), depth, budget));
    else if (reader.field === 5) template.isDefinition = reader.bool();
    else reader.skip();
  }
  return template;
}

/** A metric of a command; by its alias if it has one, and then without its name (tck-id-payloads-alias-data-cmd-requirement). */
export interface Order {
  name: string;
  alias: bigint | undefined;
  type: number;
  /** Writes the value into its field. */
  write(metric: FieldWriter): void;
}

/**
 * An NCMD or DCMD of one metric. The type goes along though it need not (tck-id-payloads-metric-datatype-not-req): the specification's own example has it,
 * and there are edge nodes that cannot read a value without it.
 */
export function writeCommand({ name, alias, type, write }: Order, timestampMs: bigint): Buffer {
  const metric = new FieldWriter();
  if (alias === undefined) metric.text(1, name);
  else metric.uint(2, alias);
  metric.uint(3, timestampMs).uint(4, type);
  write(metric);
  return new FieldWriter().uint(1, timestampMs).message(2, metric).finish();
}
