import { roleAtLeast } from '../../contract/caller.ts';
import type { Obstacle } from '../../contract/command.ts';
import type { Device } from '../../contract/device.ts';
import { limits } from '../../contract/limits.ts';
import type { CommandRole } from '../../contract/permissions.ts';
import { leastAnywhere, leastForCommand, mayCommand } from '../access.ts';
import { selects } from '../query-parse.ts';
import type { Ask, Handler } from './ask.ts';
import { readSelection } from './selection.ts';

interface Standing {
  device: string;
  /** A point, or a named command. */
  point?: string;
  command?: string;
  may: boolean;
  least: CommandRole;
  /** Why not, as far as it is a matter of rights. */
  why?: string;
  /** What stands against it now, whoever asks. */
  obstacles: Obstacle[];
}

/**
 * `{ user: { login, name, role }, may: { read, readNow, command, configure }, rights: { command }, why }`: `why` says what stands against commands.
 * With `?device=…&point=…&label=…` (selectors) also `targets`: for each point and named command whether the caller may command it and what stands against it
 * now, and `more` if there are more of them than are listed. `point` goes for the ids of named commands too.
 */
export const accessOfMine: Handler = (ask) => {
  const { caller, user, instance, query } = ask;
  const { rights } = instance.gateway.plan.settings;
  const command = mayCommand(caller, leastAnywhere(rights));
  const asked = ['device', 'point', 'label'].some((name) => query.has(name));
  return {
    body: {
      user: { login: user.login, name: user.name, role: user.role },
      may: { read: true, readNow: roleAtLeast(user.role, 'Editor'), command: command.allowed, configure: roleAtLeast(user.role, 'Admin') },
      rights: { command: rights.command },
      ...(command.allowed ? {} : { why: command.why }),
      ...(asked ? standings(ask) : {}),
    },
  };
};

function standings(ask: Ask): { targets: Standing[]; more: boolean } {
  const { gateway } = ask.instance;
  const selection = readSelection(ask.query);
  const targets: Standing[] = [];
  for (const { id } of gateway.devices()) {
    const device = gateway.device(id);
    if (!device || !selection.device(id)) continue;
    for (const [name, kind] of namesOf(device)) {
      const labels = (kind === 'point' ? device.points.find((one) => one.id === name)?.labels : undefined) ?? device.labels;
      if (!selects(selection, { device: id, point: name }, { ...labels, device: id, point: name })) continue;
      if (targets.length >= limits.accessTargetsMax) return { targets, more: true };
      targets.push(standingOf(ask, id, name, kind));
    }
  }
  return { targets, more: false };
}

function namesOf({ points, actions }: Device): [string, 'point' | 'command'][] {
  return [
    ...points.filter(({ access }) => access !== 'read').map(({ id }): [string, 'point'] => [id, 'point']),
    ...actions.map(({ id }): [string, 'command'] => [id, 'command']),
  ];
}

function standingOf({ caller, instance, user }: Ask, device: string, name: string, kind: 'point' | 'command'): Standing {
  const least = leastForCommand(instance, { device, [kind]: name });
  const permission = mayCommand(caller, least);
  const obstacles = instance.gateway.commands.obstacles(device, name, kind === 'point' ? 'set' : 'act');
  return {
    device,
    ...(kind === 'point' ? { point: name } : { command: name }),
    may: permission.allowed,
    least,
    ...(permission.allowed ? {} : { why: permission.why }),
    obstacles: roleAtLeast(user.role, 'Editor') ? obstacles : obstacles.map(forViewers),
  };
}

/** Why a device is offline often names its host, and an interlock other devices' readings with their places; a Viewer reads what it is. */
function forViewers({ type, detail, until }: Obstacle): Obstacle {
  const known = type === 'device-offline' ? 'the device is offline' : detail;
  return { type, detail: known, ...(until === undefined ? {} : { until }) };
}
