import { roleAtLeast } from '../../contract/caller.ts';
import type { ActionConfig, Device } from '../../contract/device.ts';
import { badPart, notFound } from '../../contract/fault.ts';
import { parametersSchema } from '../../contract/parameters.ts';
import type { DeviceStatus } from '../../contract/status.ts';
import type { Instance } from '../instance.ts';
import type { Ask, Handler } from './ask.ts';
import { pointAnswer } from './point-answer.ts';

/** `{ devices: [{ id, title, connection, labels, state, since, lastSeen }] }`, narrowed by `?label=key:value` (given more than once: all must hold). */
export const listDevices: Handler = ({ instance, query, user }) => {
  const wanted = query.getAll('label').map((text) => {
    const colon = text.indexOf(':');
    if (colon < 1) throw badPart('label', `is ${JSON.stringify(text.slice(0, 64))}; allowed is a label as name:value`);
    return { name: text.slice(0, colon), value: text.slice(colon + 1) };
  });
  const states = new Map(instance.gateway.devices().map((status) => [status.id, status]));
  const devices = instance.gateway.plan.connections
    .flatMap((connection) => connection.devices)
    .filter(({ labels }) => wanted.every(({ name, value }) => Object.hasOwn(labels, name) && labels[name] === value));
  return {
    body: { devices: devices.map((device) => deviceAnswer(instance, device, states.get(device.id), roleAtLeast(user.role, 'Editor'))) },
  };
};

/** The device as in the list, with `points` (as `devices/{device}/points` has them) and `commands`. */
export const oneDevice: Handler = ({ instance, params, user }) => {
  const device = deviceOf(instance, params);
  const insider = roleAtLeast(user.role, 'Editor');
  const status = instance.gateway.devices().find(({ id }) => id === device.id);
  return {
    body: {
      ...deviceAnswer(instance, device, status, insider),
      points: device.points.map((point) => pointAnswer(instance, device, point, insider)),
      commands: device.actions.map(commandAnswer),
    },
  };
};

/** `{ id, title, confirm, parameters: [{ name, title, type, min, max, options, maxLength, default }] }`: what a form for it needs. */
function commandAnswer({ id, title, confirm, parameters }: ActionConfig) {
  const known = parametersSchema.safeParse(parameters);
  const named = Object.entries(known.success ? known.data : {});
  return { id, title: title ?? id, confirm, parameters: named.map(([name, parameter]) => ({ name, ...parameter })) };
}

/** The device of the path; 404 if there is none, or none that runs. */
export function deviceOf(instance: Instance, params: Ask['params']): Device {
  const id = params.device ?? '';
  const device = instance.gateway.device(id);
  if (!device) throw notFound(`there is no device ${JSON.stringify(id)} that runs`, 'device');
  return device;
}

function deviceAnswer({ gateway }: Instance, device: Device, status: DeviceStatus | undefined, insider: boolean) {
  const lock = gateway.commands.lockOf(device.id);
  return {
    id: device.id,
    title: device.title,
    connection: device.connection,
    labels: device.labels,
    state: status?.state ?? 'unknown',
    since: status?.sinceMs,
    lastSeen: status?.lastSeenMs,
    // Who works there is for those who work there.
    ...(lock ? { lock: { reason: lock.reason, since: lock.since, until: lock.until, ...(insider ? { by: lock.by } : {}) } } : {}),
    ...(insider ? { address: device.address, error: status?.error, samples: status?.samples, badSamples: status?.badSamples } : {}),
  };
}
