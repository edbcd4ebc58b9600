/** Who may ask what over HTTP: the one declaration of DESIGN §7, enforced in one place (`datasource/resources.ts`). */
import type { Role } from './caller.ts';

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** `{name}` is one path segment. */
  path: string;
  /** The least role; `'command'` asks the settings' `rights.command`. */
  least: Role | 'command';
  /** For `openapi.json` and the help page. */
  summary: string;
  /** Set on what concerns the organisation's instances and not one of them: asked under `/api/plugins/<id>/resources/`, and only there. */
  without?: 'data source';
}

/** Records of commands name people: the same role for `GET commands` and for the query `commands`. */
export const leastRoleOfCommands = 'Editor' satisfies Role;

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
  { method: 'GET', path: 'events', least: 'Editor', summary: 'Samples, connectivity and commands as they come, until you hang up' },
  { method: 'GET', path: 'commands', least: leastRoleOfCommands, summary: 'The latest commands, newest first' },
  { method: 'GET', path: 'commands/{id}', least: leastRoleOfCommands, summary: 'One command' },
  { method: 'GET', path: 'access/me', least: 'Viewer', summary: 'Who you are here and what you may do' },
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
export type RoutePath = (typeof routes)[number]['path'];
