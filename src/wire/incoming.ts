/** From protobuf to the words of `datasource/questions.ts` and `contract/caller.ts`. Every 64-bit number arrives, however odd. */
import { type Caller, type InstanceSettings, type Role, roles, type User } from '../contract/caller.ts';
import type { DataQuery, ResourceRequest } from '../datasource/questions.ts';
import type * as pb from './generated/backend.ts';

export function callerOf(context: pb.PluginContext | undefined): Caller {
  const caller: Caller = { orgId: number(context?.orgId), pluginId: context?.pluginId ?? '' };
  if (context?.user) caller.user = userOf(context.user);
  if (context?.dataSourceInstanceSettings) caller.instance = instanceOf(context.dataSourceInstanceSettings);
  return caller;
}

/** A role we do not know has no rights. */
function userOf(user: pb.User): User {
  const role: Role = roles.find((known) => known === user.role) ?? 'None';
  return { login: user.login, name: user.name, email: user.email, role };
}

function instanceOf(settings: pb.DataSourceInstanceSettings): InstanceSettings {
  return {
    id: number(settings.id),
    uid: settings.uid,
    name: settings.name,
    jsonData: settings.jsonData,
    secureJsonData: Object.fromEntries(settings.decryptedSecureJsonData),
    lastUpdatedMs: number(settings.lastUpdatedMS),
  };
}

export function queryOf(query: pb.DataQuery, isDrawing: boolean): DataQuery {
  return {
    refId: query.refId,
    json: query.json,
    intervalMs: number(query.intervalMS),
    maxDataPoints: number(query.maxDataPoints),
    isDrawing,
    fromMs: number(query.timeRange?.fromEpochMS),
    toMs: number(query.timeRange?.toEpochMS),
  };
}

/**
 * Whether a panel or Explore asks: Grafana's front end names the data source in a header, which the host hands on (facts/grafana.md §2.3). Expressions
 * and alert rules compute with what they get, so they are not drawings although the same front end may have asked for them.
 */
export function isDrawing(headers: ReadonlyMap<string, string>): boolean {
  const names = new Set(Array.from(headers.keys(), (name) => name.toLowerCase().replace(/^http_/, '')));
  const isComputed = names.has('fromalert') || names.has('x-grafana-from-expr');
  return !isComputed && (names.has('x-datasource-uid') || names.has('x-panel-id'));
}

export function resourceOf(request: pb.CallResourceRequest): ResourceRequest {
  const headers = new Map<string, readonly string[]>();
  for (const [name, list] of request.headers) headers.set(name.toLowerCase(), list.values);
  return { path: request.path.replace(/^\//, ''), method: request.method.toUpperCase(), url: request.url, headers, body: request.body };
}

/** Beyond 2^53 only the size matters (a time range without an end), not the last digits. */
function number(value: bigint | undefined): number {
  return Number(value ?? 0n);
}
