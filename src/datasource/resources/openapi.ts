import * as z from 'zod';
import { problemContentType } from '../../contract/problem.ts';
import { queryJsonSchema } from '../../contract/query.ts';
import { type Route, routes } from '../../contract/rights.ts';
import { problemAnswer } from './answers.ts';
import type { Handler } from './ask.ts';
import { type Described, described } from './described.ts';

type Json = Record<string, unknown>;

/** `GET openapi.json`: OpenAPI 3.1 of all this, from the table of rights and the schemas that check bodies and describe answers. */
export function openApiHandler(version: string): Handler {
  let paths: Json | undefined;
  const schemas: Json = {};
  return ({ instance }) => {
    paths ??= pathsOf(routes, schemas);
    return { body: documentOf(instance.uid, version, paths, schemas) };
  };
}

function documentOf(uid: string, version: string, paths: Json, schemas: Json): Json {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Fieldgate',
      version,
      description: 'Devices of one data source: what they said, what they are told. Errors are problem documents (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/datasources/uid/{uid}/resources', variables: { uid: { default: uid, description: 'Of the data source' } } }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token of a Grafana service account' } },
      schemas: { ...schemas, Query: querySchemaOf() },
    },
  };
}

/** What panels, Explore and alert rules send to Grafana's own query endpoint, which is none of these paths. */
function querySchemaOf(): Json {
  const { $schema: _, ...schema } = queryJsonSchema();
  const description = 'A query of this data source, for POST /api/ds/query of Grafana.';
  return { ...schema, description };
}

function pathsOf(table: readonly Route[], schemas: Json): Json {
  const paths: Record<string, Json> = {};
  for (const route of table) {
    const path = `/${route.path}`;
    const operation = operationOf(route, described[`${route.method} ${route.path}` as keyof typeof described], schemas);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation };
    if (route.without) paths[path].servers = [{ url: '/api/plugins/fieldgate-iot-datasource/resources' }];
  }
  return paths;
}

function operationOf({ method, path, least, summary }: Route, about: Described, schemas: Json): Json {
  const { parameters = {}, headers = {}, body, answers, also = {} } = about;
  const bodies = about.bodies ?? (body ? { 'application/json': body } : {});
  const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,64}$' },
  }));
  const content = contentOf(answers, schemas);
  const good = Object.fromEntries(Object.entries(also).map(([status, description]) => [status, answerOf(description, status, content)]));
  const problem = { [problemContentType]: { schema: schemaOf(problemAnswer, schemas) } };
  return {
    operationId: operationId(method, path),
    summary,
    description:
      least === 'command' ? 'For the role that `rights.command` of the settings says, Editor unless said.' : `For the role ${least}.`,
    'x-least-role': least,
    parameters: [...places, ...parametersOf(parameters, 'query', schemas), ...parametersOf(headers, 'header', schemas)],
    ...(Object.keys(bodies).length > 0 ? { requestBody: { required: true, content: contentOf(bodies, schemas) } } : {}),
    responses: {
      200: { description: summary, content },
      ...good,
      default: { description: 'What went wrong, and what to do', content: problem },
    },
  };
}

function contentOf(byType: Record<string, z.ZodType>, schemas: Json): Json {
  return Object.fromEntries(Object.entries(byType).map(([type, schema]) => [type, { schema: schemaOf(schema, schemas) }]));
}

function answerOf(description: string, status: string, content: Json): Json {
  return status === '204' ? { description } : { description, content };
}

function parametersOf(given: Record<string, z.ZodType>, place: 'query' | 'header', schemas: Json): Json[] {
  return Object.entries(given).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema, schemas);
    return { name, in: place, ...(description === undefined ? {} : { description }), schema: rest };
  });
}

/** `getDevicesDevicePoints`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z]+/).filter((word) => word !== '');
  return [method.toLowerCase(), ...words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)].join('');
}

/**
 * JSON Schema 2020-12, which OpenAPI 3.1 speaks. A schema with an `id` goes to the components and is referred to from there.
 */
function schemaOf(schema: z.ZodType, components: Json): Json {
  const made = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const { $schema: _, $defs, ...rest } = JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  Object.assign(components, $defs);
  return rest;
}
