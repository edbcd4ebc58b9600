import { roleAtLeast } from '../../contract/caller.ts';
import type { ConnectionStatus } from '../../contract/status.ts';
import type { Handler } from './ask.ts';

/** `{ connections: [{ id, title, kind, state, since }] }`; Editors also read where it leads, how it goes and what is wrong. Times are milliseconds since 1970. */
export const listConnections: Handler = ({ instance, user }) => ({
  body: { connections: instance.gateway.connections().map((one) => connectionAnswer(one, roleAtLeast(user.role, 'Editor'))) },
});

function connectionAnswer(status: ConnectionStatus, insider: boolean) {
  const { id, title, kind, state, sinceMs } = status;
  const shown = { id, title, kind, state, since: sinceMs };
  if (!insider) return shown;
  const { endpoint, error, opens, requests, failures, overruns, discarded, queued } = status;
  return { ...shown, endpoint, error, opens, requests, failures, overruns, discarded, queued };
}
