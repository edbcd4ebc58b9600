import { lockBodySchema } from '../../contract/command.ts';
import { check } from '../settings/words.ts';
import type { Handler } from './ask.ts';
import { badBody } from './body.ts';
import { deviceOf } from './devices.ts';

/**
 * `POST devices/{device}/lock` `{ reason, for? }`: `{ device, lock: { reason, by, since, until } }`, times in milliseconds since 1970.
 * `DELETE devices/{device}/lock`: `{ device, lock: null }`.
 */
export const lockHandlers: { set: Handler; lift: Handler } = {
  async set({ instance, params, body, user }) {
    const { id } = deviceOf(instance, params);
    const read = check(lockBodySchema, body);
    if (!read.ok) throw badBody(read.problems);
    return { body: { device: id, lock: await instance.gateway.commands.lock(id, read.value, user) } };
  },
  async lift({ instance, params, user }) {
    // Also of a device that does not run any more.
    const id = params.device ?? '';
    await instance.gateway.commands.unlock(id, user);
    return { body: { device: id, lock: null } };
  },
};
