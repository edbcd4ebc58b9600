import { badPart } from '../../contract/fault.ts';
import type { Instances } from '../instances.ts';
import type { ProcessHandler } from './ask.ts';

/**
 * `GET instances`: `{ instances: [{ uid, id, name, state, lastNamed, connections: { up, of } }] }` of the caller's organisation; times are milliseconds
 * since 1970. `DELETE instances/{uid}[?history=1]`: stops it and forgets its settings and secrets, with `history=1` everything it ever said too;
 * `{ uid, history: "kept" | "deleted", samples }`.
 */
export function instanceHandlers(instances: Instances): { list: ProcessHandler; remove: ProcessHandler } {
  return {
    list: ({ caller }) => ({ body: { instances: instances.list(caller.orgId) } }),
    async remove({ caller, params: { uid = '' }, query }) {
      const asked = query.get('history') ?? '0';
      if (asked !== '0' && asked !== '1') throw badPart('history', `is ${JSON.stringify(asked.slice(0, 64))}; allowed is 1 or 0`);
      const history = asked === '1';
      const samples = await instances.remove(caller.orgId, uid, { history });
      return { body: { uid, history: history ? 'deleted' : 'kept', samples } };
    },
  };
}
