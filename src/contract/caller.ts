/** Who asks, for which gateway: what the wire hands over with every question (pluginv2 PluginContext). */

/** Roles in rising order. */
export const roles = ['None', 'Viewer', 'Editor', 'Admin'] as const;
export type Role = (typeof roles)[number];

export interface User {
  login: string;
  name: string;
  email: string;
  role: Role;
}

/** The settings of one data source as Grafana hands them over; `jsonData` is not yet parsed. */
export interface InstanceSettings {
  id: number;
  uid: string;
  name: string;
  jsonData: Uint8Array;
  /** Decrypted secrets by `"<connection id>.<field>"`. Never logged, never answered. */
  secureJsonData: Record<string, string>;
  /** When Grafana last changed them, milliseconds since 1970. */
  lastUpdatedMs: number;
}

export interface Caller {
  orgId: number;
  pluginId: string;
  /** Absent when Grafana itself asks. */
  user?: User;
  /** Absent on routes without a data source (`/api/plugins/<id>/…`). */
  instance?: InstanceSettings;
}

/** True if `role` is at least `least`. */
export function roleAtLeast(role: Role | undefined, least: Role): boolean {
  return role !== undefined && roles.indexOf(role) >= roles.indexOf(least);
}
