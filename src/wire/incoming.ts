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

export function queryOf(query: pb.DataQuery): DataQuery {
  return {
    refId: query.refId,
    json: query.json,
    intervalMs: number(query.intervalMS),
    maxDataPoints: number(query.maxDataPoints),
    fromMs: number(query.timeRange?.fromEpochMS),
    toMs: number(query.timeRange?.toEpochMS),
  };
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
