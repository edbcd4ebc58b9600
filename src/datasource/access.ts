/** Who may send commands: the rules that are the same for every way a command can come (DESIGN §8). */
import { type Caller, type Role, roleAtLeast, type User } from '../contract/caller.ts';

/** Alert rules are evaluated as this user, with the role Admin (facts/grafana.md §2.3). An alert never commands a device. */
const alertRuleLogin = 'grafana_scheduler';

export type Permission = { allowed: true; user: User } | { allowed: false; why: string };

/** Whether this caller may send commands where `least` is the least role for it. Rights go by role: a login can be chosen freely, so it only ever forbids. */
export function mayCommand(caller: Caller, least: Role): Permission {
  const { user } = caller;
  if (!user) return { allowed: false, why: 'nobody is signed in' };
  // Anonymous visitors and public dashboards come with a role, even Admin, but without a login.
  if (user.login.trim() === '') return { allowed: false, why: 'visitors who are not signed in may look but not send commands' };
  if (user.login === alertRuleLogin) return { allowed: false, why: 'alert rules may read but not send commands' };
  if (!roleAtLeast(user.role, 'Editor')) return { allowed: false, why: `the role ${user.role} may look but not send commands` };
  if (!roleAtLeast(user.role, least)) return { allowed: false, why: `commands need the role ${least} here, and yours is ${user.role}` };
  return { allowed: true, user };
}
