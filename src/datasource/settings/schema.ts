/** The whole configuration language as one JSON Schema, put together from the contract's schemas and those of the drivers. */
import * as z from 'zod';
import { actionSchema, deviceSchema, pointSchema, profileSchema } from '../../contract/device.ts';
import type { Driver } from '../../contract/driver.ts';
import { connectionSchema, settingsSchema } from '../../contract/settings.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/** What a driver's `drivers` entry says of itself: enough to draw a form and to explain an address. */
export interface DriverSchemas {
  kind: string;
  title: string;
  /** Names of the secrets of a connection. */
  secrets: readonly string[];
  /** A connection with `id`, `kind` and `title`. */
  connection: Schema;
  device: Schema;
  address: Schema;
  action?: Schema;
  /** What a probe and a scan can be told, for protocols that have them. */
  survey?: { probe?: Schema; scan?: Schema };
}

export function schemasOf(driver: Driver): DriverSchemas {
  return {
    kind: driver.kind,
    title: driver.title,
    secrets: driver.secrets,
    connection: withBase(inputSchema(driver.connection), connectionBase(driver)),
    device: inputSchema(driver.device),
    address: inputSchema(driver.address),
    ...(driver.survey ? { survey: surveySchemas(driver.survey) } : {}),
    ...(driver.action ? { action: withBase(inputSchema(driver.action), inputSchema(actionSchema)) } : {}),
  };
}

function surveySchemas({ probe, scan }: NonNullable<Driver['survey']>): NonNullable<DriverSchemas['survey']> {
  return { ...(probe ? { probe: inputSchema(probe) } : {}), ...(scan ? { scan: inputSchema(scan) } : {}) };
}

/** JSON Schema 2020-12 of `jsonData`. A device's address is that of any driver: which one is right depends on its connection. */
export function settingsJsonSchema(drivers: readonly Driver[]): Schema {
  const all = drivers.map(schemasOf);
  const address = alternatives(all.map((one) => ({ ...one.address, title: one.title })));
  const point = withFields(inputSchema(pointSchema), { address });
  const commands: Schema = { type: 'array', items: alternatives(all.flatMap((one) => (one.action ? [one.action] : []))) };
  const lists = { points: { type: 'array', items: point }, commands } satisfies Record<string, Schema>;
  const device = withFields(inputSchema(deviceSchema), {
    address: alternatives(all.map((one) => ({ ...one.device, title: one.title }))),
    ...lists,
  });
  const whole = withFields(inputSchema(settingsSchema), {
    connections: { type: 'array', items: alternatives(all.map((one) => one.connection)) },
    devices: { type: 'array', items: device },
    profiles: { type: 'array', items: withFields(inputSchema(profileSchema), lists) },
  });
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Fieldgate settings', ...whole };
}

function inputSchema(schema: z.ZodType): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

function connectionBase(driver: Driver): Schema {
  return withFields(inputSchema(connectionSchema), { kind: { const: driver.kind, description: driver.title } });
}

/** Puts the fields that we own into each object of the driver's schema, which does not know them and would refuse them. */
function withBase(schema: Schema, base: Schema): Schema {
  for (const choice of ['anyOf', 'oneOf'] as const) {
    const options = schema[choice];
    if (options) return { ...schema, [choice]: options.map((option) => (typeof option === 'boolean' ? option : withBase(option, base))) };
  }
  const required = [...new Set([...(base.required ?? []), ...(schema.required ?? [])])];
  return { ...schema, type: 'object', properties: { ...base.properties, ...schema.properties }, required };
}

function withFields(schema: Schema, fields: Record<string, Schema>): Schema {
  const properties = { ...schema.properties };
  for (const [name, field] of Object.entries(fields)) {
    const before = properties[name];
    properties[name] = typeof before === 'object' ? { ...before, ...field } : field;
  }
  return { ...schema, properties };
}

/** No driver, nothing fits: `{ not: {} }`. */
function alternatives(schemas: Schema[]): Schema {
  return schemas.length === 0 ? { not: {} } : schemas.length === 1 ? (schemas[0] ?? {}) : { anyOf: schemas };
}
