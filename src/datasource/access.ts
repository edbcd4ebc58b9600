/** Who may send commands: the rules that are the same for every way a command can come (DESIGN §8). */
import { type Caller, roleAtLeast, roles, type User } from '../contract/caller.ts';
import type { ActionConfig } from '../contract/device.ts';
import { type CommandRole, leastRoleFor, type Rights } from '../contract/permissions.ts';
import type { Instance } from './instance.ts';

/** Alert rules are evaluated as this user, with the role Admin (facts/grafana.md §2.3). An alert never commands a device. */
const alertRuleLogin = 'grafana_scheduler';

/** Grafana asks for the visitors of public dashboards as this one, without an address of its own, with the role Admin (Grafana 12.4). */
const publicDashboardLogin = 'service';

export type Permission = { allowed: true; user: User } | { allowed: false; why: string };

/** Who it is that is not a person signed in, in words; undefined for one that is. A login can be chosen freely, so it only ever forbids. */
export function strangerOf(user: User): string | undefined {
  if (isPublicDashboard(user)) return 'visitors of public dashboards';
  // Anonymous visitors, and public dashboards of some versions, come with a role, even Admin, but without a login.
  if (user.login.trim() === '') return 'visitors who are not signed in';
  return user.login === alertRuleLogin ? 'alert rules' : undefined;
}

/** What needs more than the role Viewer is not for everybody who has the link, though the role that Grafana gives is Admin. */
export function isPublicDashboard({ login, email }: User): boolean {
  return login === publicDashboardLogin && email === '';
}

/** The least role for a command: that of the first rule that fits, else that of the settings; an action may ask for more. */
export function leastForCommand(
  { gateway }: Instance,
  { device = '', point, command }: { device?: string | undefined; point?: string | undefined; command?: string | undefined },
): CommandRole {
  const known = gateway.device(device);
  const action: ActionConfig | undefined = command === undefined ? undefined : known?.actions.find(({ id }) => id === command);
  const labels = (point === undefined ? undefined : known?.points.find(({ id }) => id === point)?.labels) ?? known?.labels ?? {};
  const target = { device, ...(point === undefined ? {} : { point }), ...(command === undefined ? {} : { command }), labels };
  return leastRoleFor(gateway.plan.settings.rights, target, action?.role);
}

/** The least role that may command anything at all here. */
export function leastAnywhere({ command, rules }: Rights): CommandRole {
  return rules.reduce<Exclude<CommandRole, 'nobody'>>(
    (least, { role }) => (role !== 'nobody' && roles.indexOf(role) < roles.indexOf(least) ? role : least),
    command,
  );
}

/** Whether this caller may send commands where `least` is the least role for it. Rights go by role. */
export function mayCommand(caller: Caller, least: CommandRole): Permission {
  const { user } = caller;
  if (!user) return { allowed: false, why: 'nobody is signed in' };
  const stranger = strangerOf(user);
  if (stranger) return { allowed: false, why: `${stranger} may look but not send commands` };
  if (least === 'nobody') return { allowed: false, why: 'the rights of this data source let nobody command this' };
  // A Viewer sends commands only where a rule says so.
  if (least !== 'Viewer' && !roleAtLeast(user.role, 'Editor'))
    return { allowed: false, why: `the role ${user.role} may look but not send commands` };
  if (!roleAtLeast(user.role, least)) return { allowed: false, why: `commands need the role ${least} here, and yours is ${user.role}` };
  return { allowed: true, user };
}
