import { roleAtLeast } from '../../contract/caller.ts';
import { mayCommand } from '../access.ts';
import type { Handler } from './ask.ts';

/** `{ user: { login, name, role }, may: { read, readNow, command, configure }, rights: { command }, why }`: `why` says what stands against commands. */
export const accessOfMine: Handler = ({ caller, user, instance }) => {
  const least = instance.gateway.plan.settings.rights.command;
  const command = mayCommand(caller, least);
  return {
    body: {
      user: { login: user.login, name: user.name, role: user.role },
      may: { read: true, readNow: roleAtLeast(user.role, 'Editor'), command: command.allowed, configure: roleAtLeast(user.role, 'Admin') },
      rights: { command: least },
      ...(command.allowed ? {} : { why: command.why }),
    },
  };
};
