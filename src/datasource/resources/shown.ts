/** Why a device did not do something often names its host, which is not for Viewers (DESIGN §7); a rule may let them command all the same. */
import { roleAtLeast, type User } from '../../contract/caller.ts';
import type { CommandRecord } from '../../contract/command.ts';
import { Fault } from '../../contract/fault.ts';

export function faultFor(user: User | undefined, fault: Fault): Fault {
  if (fault.blame !== 'device' || roleAtLeast(user?.role, 'Editor')) return fault;
  const { type, blame, status } = fault;
  return new Fault('the device cannot be reached now; an Editor reads why', { type, blame, status });
}

export function recordFor(user: User, record: CommandRecord): CommandRecord {
  if (roleAtLeast(user.role, 'Editor')) return record;
  const { detail: _, ...rest } = record;
  return rest;
}
