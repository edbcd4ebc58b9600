/** Who may send commands: the rules that are the same for every way a command can come (DESIGN §8). */
import { type Caller, type Role, roleAtLeast, type User } from '../contract/caller.ts';
import type { Instance } from './instance.ts';

/** Alert rules are evaluated as this user, with the role Admin (facts/grafana.md §2.3). An alert never commands a device. */
const alertRuleLogin = 'grafana_scheduler';

export type Permission = { allowed: true; user: User } | { allowed: false; why: string };

/** Who it is that is not a person signed in, in words; undefined for one that is. A login can be chosen freely, so it only ever forbids. */
export function strangerOf(user: User): string | undefined {
  // Anonymous visitors and public dashboards come with a role, even Admin, but without a login.
  if (user.login.trim() === '') return 'visitors who are not signed in';
  return user.login === alertRuleLogin ? 'alert rules' : undefined;
}

/** The least role for a command: that of the settings, or that of the action where it asks for more. */
export function leastForCommand({ gateway }: Instance, { device = '', command }: Readonly<Record<string, string>>): Role {
  const general = gateway.plan.settings.rights.command;
  const own = gateway.device(device)?.actions.find(({ id }) => id === command)?.role;
  return own !== undefined && roleAtLeast(own, general) ? own : general;
}

/** Whether this caller may send commands where `least` is the least role for it. Rights go by role. */
export function mayCommand(caller: Caller, least: Role): Permission {
  const { user } = caller;
  if (!user) return { allowed: false, why: 'nobody is signed in' };
  const stranger = strangerOf(user);
  if (stranger) return { allowed: false, why: `${stranger} may look but not send commands` };
  if (!roleAtLeast(user.role, 'Editor')) return { allowed: false, why: `the role ${user.role} may look but not send commands` };
  if (!roleAtLeast(user.role, least)) return { allowed: false, why: `commands need the role ${least} here, and yours is ${user.role}` };
  return { allowed: true, user };
}
