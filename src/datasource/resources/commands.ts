import { badPart, notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Store } from '../../store/store.ts';
import type { Handler } from './ask.ts';

/** `GET commands?limit=`: `{ commands: [...] }`, newest first. `GET commands/{id}`: one record. */
export function commandHandlers(store: Store): { list: Handler; one: Handler } {
  return {
    async list({ instance, query }) {
      const text = query.get('limit') ?? String(limits.commandsListedDefault);
      const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      if (limit < 1 || limit > limits.commandsListedMax) {
        throw badPart('limit', `is ${JSON.stringify(text.slice(0, 64))}; allowed is a whole number from 1 to ${limits.commandsListedMax}`);
      }
      return { body: { commands: await store.commands(instance.key, { limit }) } };
    },
    async one({ instance, params: { id = '' } }) {
      const record = await store.command(instance.key, id);
      if (!record) throw notFound(`there is no command ${JSON.stringify(id)}`, 'id');
      return { body: record };
    },
  };
}
