/** What a driver gets from us: a log, a clock, secrets and a small persisted memory of its connection. */
import type { Clock } from '../contract/clock.ts';
import type { Host } from '../contract/driver.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log, LogFields } from '../contract/log.ts';
import type { Store } from '../store/store.ts';
import { within } from './guard.ts';
import type { PlannedConnection } from './plan.ts';

export interface HostDeps {
  key: string;
  store: Store;
  clock: Clock;
}

/** Recalls the connection's memory first; without it (the store is not there yet) the driver learns again. */
export async function createHost(
  deps: HostDeps,
  log: Log,
  planned: PlannedConnection,
  shared: Map<string, unknown>,
): Promise<Omit<Host, 'lost'>> {
  const scope = `memory/${planned.connection.id}`;
  let memory = new Map<string, unknown>();
  try {
    memory = new Map(await within(deps.clock, limits.storeWaitMs, deps.store.recall(deps.key, scope)));
  } catch (error) {
    log.warn('the memory of the connection is not there; it starts empty', { error: messageOf(error) });
  }
  return {
    log,
    clock: deps.clock,
    shared,
    secret: (name) => planned.secrets[name],
    memory: {
      get: (name) => memory.get(name),
      set(name, value) {
        const next = new Map(memory).set(name, value);
        if (Buffer.byteLength(JSON.stringify([...next])) > limits.driverMemoryBytesMax) {
          log.warn('not remembered: the memory of the connection is full', { name, bytesMax: limits.driverMemoryBytesMax });
          return;
        }
        memory = next;
        deps.store
          .remember(deps.key, scope, name, value)
          .catch((error: unknown) => log.warn('not remembered', { name, error: messageOf(error) }));
      },
    },
  };
}

/** For a session that is opened for a probe or a scan only: it remembers nothing and nothing of the connection's memory is used. */
export function createTrialHost(
  { clock }: Pick<HostDeps, 'clock'>,
  log: Log,
  { secrets }: Pick<PlannedConnection, 'secrets'>,
  shared: Map<string, unknown>,
): Omit<Host, 'lost'> {
  const memory = new Map<string, unknown>();
  return {
    log,
    clock,
    shared,
    trial: true,
    secret: (name) => secrets[name],
    memory: { get: (name) => memory.get(name), set: (name, value) => void memory.set(name, value) },
  };
}

/** Says with every line which connection it is about. */
export function logOf(log: Log, connection: string): Log {
  const say = (level: keyof Log) => (message: string, fields?: LogFields) => log[level](message, { ...fields, connection });
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
