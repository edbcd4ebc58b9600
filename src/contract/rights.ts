/** Who may ask what over HTTP: the one declaration of DESIGN §7, enforced in one place (`datasource/resources.ts`). */
import type { Role } from './caller.ts';
import type { QueryType } from './query.ts';

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** `{name}` is one path segment. */
  path: string;
  /** The least role; `'command'` asks the settings' `rights`. */
  least: Role | 'command';
  /** For `openapi.json` and the help page. */
  summary: string;
  /** The content types of its body, where that is not JSON; none of them is one that a foreign web page can send without asking the browser first. */
  takes?: readonly string[];
  /** Set on what concerns the organisation's instances and not one of them: asked under `/api/plugins/<id>/resources/`, and only there. */
  without?: 'data source';
}

/** Records of commands name people: the same role for `GET commands` and for the query `commands`. */
export const leastRoleOfCommands = 'Editor' satisfies Role;

/** The least role for each type of query (DESIGN §7): the values are for all, what names people, topics, registers or bytes is not. */
export const leastRoleOfQuery = {
  telemetry: 'Viewer',
  latest: 'Viewer',
  status: 'Viewer',
  commands: leastRoleOfCommands,
  messages: 'Editor',
  bus: 'Editor',
  explain: 'Editor',
  // What a survey finds stands in nobody's settings yet: the same role as for asking.
  survey: 'Admin',
  // The same as the resource.
  series: 'Viewer',
} as const satisfies Record<QueryType, Role>;

export const routes = [
  { method: 'GET', path: 'openapi.json', least: 'Viewer', summary: 'This interface as an OpenAPI 3.1 document' },
  { method: 'GET', path: 'help', least: 'Viewer', summary: 'A page with your own devices, and queries and commands to copy' },
  { method: 'GET', path: 'schema', least: 'Viewer', summary: 'JSON Schema of the settings' },
  { method: 'GET', path: 'drivers', least: 'Viewer', summary: 'The protocols, each with the schemas of its settings' },
  { method: 'GET', path: 'profiles', least: 'Viewer', summary: 'Device types: those of the settings and the built-in ones' },
  { method: 'GET', path: 'profiles/{profile}/image', least: 'Viewer', summary: 'A picture of a built-in device type' },
  { method: 'GET', path: 'connections', least: 'Viewer', summary: 'Connections and whether they are up' },
  { method: 'GET', path: 'devices', least: 'Viewer', summary: 'Devices, their labels and connectivity' },
  { method: 'GET', path: 'devices/{device}', least: 'Viewer', summary: 'One device with its points' },
  { method: 'GET', path: 'devices/{device}/points', least: 'Viewer', summary: 'The points of a device with their last values' },
  {
    method: 'GET',
    path: 'devices/{device}/points/{point}',
    least: 'Viewer',
    summary: 'The last value of a point; ?fresh=1 asks the device now (Editor)',
  },
  { method: 'POST', path: 'devices/{device}/points/{point}', least: 'command', summary: 'Set a point' },
  { method: 'POST', path: 'devices/{device}/commands/{command}', least: 'command', summary: 'Run a named action of a device' },
  { method: 'GET', path: 'suggest', least: 'Viewer', summary: 'Names that begin with something, for editors' },
  { method: 'GET', path: 'export', least: 'Editor', summary: 'History as a file: CSV, NDJSON or Arrow' },
  {
    method: 'POST',
    path: 'import',
    least: 'Admin',
    takes: ['text/csv', 'application/x-ndjson', 'application/vnd.apache.arrow.stream'],
    summary: 'Take in history as export writes it: CSV, NDJSON or Arrow',
  },
  {
    method: 'GET',
    path: 'series',
    least: 'Viewer',
    summary: 'What history there is: each series with its first and last sample and what it takes',
  },
  { method: 'DELETE', path: 'history', least: 'Admin', summary: 'Delete the history of devices or points, whole or in a range of time' },
  { method: 'POST', path: 'backup', least: 'Admin', summary: 'Copy the history, while it is in use, into the folder of backups' },
  { method: 'GET', path: 'backups', least: 'Admin', summary: 'The copies there are, newest first' },
  { method: 'GET', path: 'events', least: 'Editor', summary: 'Samples, connectivity and commands as they come, until you hang up' },
  { method: 'GET', path: 'commands', least: leastRoleOfCommands, summary: 'The latest commands, newest first' },
  { method: 'GET', path: 'commands/{id}', least: leastRoleOfCommands, summary: 'One command' },
  { method: 'POST', path: 'commands', least: 'command', summary: 'Several commands at once: all checks first, then in order on each bus' },
  { method: 'DELETE', path: 'commands/{id}', least: 'command', summary: 'Cancel a command that still waits: its author or an Admin' },
  { method: 'POST', path: 'devices/{device}/lock', least: 'Editor', summary: 'Lock a device for maintenance: it takes no command' },
  { method: 'DELETE', path: 'devices/{device}/lock', least: 'Editor', summary: 'Lift the lock: whoever set it or an Admin' },
  { method: 'GET', path: 'audit', least: 'Admin', summary: 'The record of every step of every command and attempt, chained by hashes' },
  { method: 'GET', path: 'audit/check', least: 'Admin', summary: 'Whether the chain of that record is whole, and where it breaks' },
  {
    method: 'POST',
    path: 'hooks/alert',
    least: 'Editor',
    summary: "For Grafana's webhook contact point: alerts send commands, if `rights.alerts` says so",
  },
  { method: 'GET', path: 'access/me', least: 'Viewer', summary: 'Who you are here and what you may do' },
  { method: 'POST', path: 'connections/{connection}/probe', least: 'Admin', summary: 'Find out how a far end wants to be spoken to' },
  { method: 'POST', path: 'connections/{connection}/scan', least: 'Admin', summary: 'Find out who and what is behind a connection' },
  {
    method: 'GET',
    path: 'connections/{connection}/survey',
    least: 'Admin',
    summary: 'The probe or scan of a connection that runs, or the last one',
  },
  { method: 'POST', path: 'config/check', least: 'Admin', summary: 'Check settings without using them' },
  {
    method: 'GET',
    path: 'instances',
    least: 'Admin',
    summary: 'The instances of the organisation that are known here',
    without: 'data source',
  },
  {
    method: 'DELETE',
    path: 'instances/{uid}',
    least: 'Admin',
    summary: 'Stop an instance and forget its settings and secrets; ?history=1 deletes its history too',
    without: 'data source',
  },
] as const satisfies readonly Route[];
