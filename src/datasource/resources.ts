/** HTTP under `/api/datasources/uid/<uid>/resources/`. The table of rights (contract/rights.ts) is enforced here and nowhere else. */
import { type Caller, roleAtLeast, type User } from '../contract/caller.ts';
import { badRequest, Fault, forbidden, notFound } from '../contract/fault.ts';
import type { Log } from '../contract/log.ts';
import type { Route } from '../contract/rights.ts';
import { leastAnywhere, leastForCommand, mayCommand, strangerOf } from './access.ts';
import type { Instance } from './instance.ts';
import type { Instances } from './instances.ts';
import type { ResourceRequest } from './questions.ts';
import type { Reader } from './reading.ts';
import { accessOfMine } from './resources/access.ts';
import { alertHook } from './resources/alert-hook.ts';
import type { Handler, ProcessAsk, ProcessHandler, ProcessRouteName, ResourceDeps, RouteName } from './resources/ask.ts';
import { auditHandlers } from './resources/audit.ts';
import { backupHandlers } from './resources/backup.ts';
import { checkBytes, readBody } from './resources/body.ts';
import { sendCommands } from './resources/command-list.ts';
import { cancelCommand, commandHandlers } from './resources/commands.ts';
import { configCheck } from './resources/config.ts';
import { listConnections } from './resources/connections.ts';
import { listDevices, oneDevice } from './resources/devices.ts';
import { eventsHandler } from './resources/events.ts';
import { exportHandler } from './resources/export.ts';
import { helpPage } from './resources/help.ts';
import { deleteHistory, listSeries } from './resources/history.ts';
import { importHandler } from './resources/import.ts';
import { instanceHandlers } from './resources/instances.ts';
import { lockHandlers } from './resources/locks.ts';
import type { LongAnswers } from './resources/long-answers.ts';
import { openApiHandler } from './resources/openapi.ts';
import { findRoutes } from './resources/path.ts';
import { listPoints, onePoint, runCommand, setPoint } from './resources/points.ts';
import { profileHandlers } from './resources/profiles.ts';
import { type Send, sendProblem, sendReply } from './resources/reply.ts';
import { schemaHandlers } from './resources/schema.ts';
import { faultFor } from './resources/shown.ts';
import { suggestHandler } from './resources/suggest.ts';
import { lastSurvey, surveyHandler } from './resources/survey.ts';

/** Answers one request. What goes wrong is a problem document; it throws only if the call was cancelled or a body breaks off on its way. */
export type Resources = (caller: Caller, request: ResourceRequest, send: Send, signal: AbortSignal) => Promise<void>;

export function createResources(
  deps: ResourceDeps & { instances: Instances; longAnswers: LongAnswers; reader: Reader; log: Log; version: string },
): Resources {
  const commands = commandHandlers(deps);
  const audit = auditHandlers(deps);
  const backups = backupHandlers(deps);
  const schemas = schemaHandlers(deps.drivers);
  const profiles = profileHandlers(deps.builtIn);
  const handlers: Record<RouteName, Handler> = {
    'GET openapi.json': openApiHandler(deps.version),
    'GET help': helpPage,
    'GET schema': schemas.schema,
    'GET drivers': schemas.drivers,
    'GET profiles': profiles.list,
    'GET profiles/{profile}/image': profiles.image,
    'GET connections': listConnections,
    'GET devices': listDevices,
    'GET devices/{device}': oneDevice,
    'GET devices/{device}/points': listPoints,
    'GET devices/{device}/points/{point}': onePoint,
    'POST devices/{device}/points/{point}': setPoint,
    'POST devices/{device}/commands/{command}': runCommand,
    'GET suggest': suggestHandler(deps.store, deps.builtIn),
    'GET export': exportHandler(deps),
    'POST import': importHandler(deps),
    'GET series': listSeries(deps.store),
    'DELETE history': deleteHistory(deps),
    'POST backup': backups.make,
    'GET backups': backups.list,
    'GET events': eventsHandler(deps),
    'GET commands': commands.list,
    'GET commands/{id}': commands.one,
    'POST commands': sendCommands,
    'DELETE commands/{id}': cancelCommand,
    'POST devices/{device}/lock': lockHandlers.set,
    'DELETE devices/{device}/lock': lockHandlers.lift,
    'GET audit': audit.trail,
    'GET audit/check': audit.check,
    'POST hooks/alert': alertHook(deps),
    'GET access/me': accessOfMine,
    'POST connections/{connection}/probe': surveyHandler('probe', deps),
    'POST connections/{connection}/scan': surveyHandler('scan', deps),
    'GET connections/{connection}/survey': lastSurvey,
    'POST config/check': configCheck(deps.reader),
  };
  const { list, remove } = instanceHandlers(deps.instances);
  const processHandlers: Record<ProcessRouteName, ProcessHandler> = { 'GET instances': list, 'DELETE instances/{uid}': remove };

  return async (caller, request, send, signal) => {
    const head = request.method === 'HEAD';
    let begun = false;
    const sendOn: Send = (part) => {
      begun = true;
      return send(part);
    };
    try {
      const { route, ask, instance } = await admit(caller, request, deps.instances, signal);
      const name = `${route.method} ${route.path}`;
      const reply = await (instance ? handlers[name as RouteName]({ ...ask, instance }) : processHandlers[name as ProcessRouteName](ask));
      await sendReply(reply, head, sendOn, deps.clock);
    } catch (error) {
      if (begun) throw error;
      if (error instanceof Fault) return await sendProblem(faultFor(caller.user, error), send, head);
      if (signal.aborted) throw error;
      // Whatever it is, it is ours; what it says may name things the caller must not read.
      deps.log.error('resource failed', {
        path: request.path.slice(0, 200),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      const failed = new Fault('the gateway failed to answer this; its log says why', { type: 'internal', blame: 'gateway', status: 500 });
      await sendProblem(failed, send, head);
    }
  };
}

/** The door: path, method, user, data source, role, body, in this order. Throws the `Fault` of the first that does not hold. */
async function admit(
  caller: Caller,
  request: ResourceRequest,
  instances: Instances,
  signal: AbortSignal,
): Promise<{ route: Route; ask: ProcessAsk; instance?: Instance }> {
  const found = findRoutes(request.path);
  if (!found) throw notFound('there is no such resource; GET openapi.json lists all, GET help shows your own', 'path');
  // What a header says the method were is ignored: proxies and rights go by the real one.
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = found.routes.find((one) => one.method === method);
  if (!route) throw methodNotAllowed(found.routes);
  const { user } = caller;
  // Not 401: Grafana's front end takes that for its own lost session and sends the person to the login page.
  if (!user) throw badRequest('nobody is signed in', undefined, 'unauthenticated', 403);
  // A role that may do nothing at all must not even start a gateway.
  if (!roleAtLeast(user.role, 'Viewer')) throw forbidden(`the role ${user.role} may not read this data source`);
  if (route.without && caller.instance)
    throw badRequest('this is not asked of one data source: ask under /api/plugins/<id>/resources/', 'path', 'not-of-a-data-source');
  const instance = route.without ? undefined : await instances.of(caller);
  if (instance && route.least === 'command') {
    const { params } = found;
    const least = 'device' in params ? leastForCommand(instance, params) : leastAnywhere(instance.gateway.plan.settings.rights);
    const permission = mayCommand(caller, least);
    if (!permission.allowed) throw refusedAtTheDoor(instance, user, params, forbidden(permission.why));
  } else if (route.least === 'command' || !roleAtLeast(user.role, route.least)) {
    throw forbidden(`this needs the role ${route.least}, and yours is ${user.role}`);
  }
  // An Admin by configuration of Grafana (anonymous access with that role) may look like one, but changes nothing.
  const stranger = route.method === 'GET' ? undefined : strangerOf(user);
  if (stranger) throw forbidden(`${stranger} may look but not change anything`);
  if (route.takes) checkBytes(route.takes, request.headers, request.body);
  const body = route.method === 'POST' && !route.takes ? readBody(request.headers.get('content-type') ?? [], request.body) : undefined;
  const question = request.url.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : request.url.slice(question + 1));
  const header = (name: string) => request.headers.get(name)?.join(', ');
  const ask = { caller, user, params: found.params, query, header, body, bytes: request.body, signal };
  return { route, ask, ...(instance ? { instance } : {}) };
}

/** Who tried what and was not let in is recorded like every other attempt. */
function refusedAtTheDoor({ gateway }: Instance, user: User, params: Readonly<Record<string, string>>, fault: Fault): Fault {
  const { device = '', point, command } = params;
  if (gateway.device(device))
    gateway.commands.refused({ device, point: point ?? command ?? '', kind: point === undefined ? 'act' : 'set', user }, fault);
  return fault;
}

function methodNotAllowed(there: readonly Route[]): Fault {
  const allow = there.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return new Fault(`allowed here is ${allow}`, { type: 'method-not-allowed', blame: 'caller', status: 405, extra: { allow } });
}
