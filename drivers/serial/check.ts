/** What is wrong with a line although each part of it is well formed. Pure. */
import type { Line } from '../../src/contract/driver.ts';
import { formatDurationMs } from '../../src/contract/duration.ts';
import type { ConfigFault } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { actionOf } from './action.ts';
import type { Address } from './address.ts';
import { type MatchText, usesPlace } from './match.ts';
import { namesIn, type Sent } from './sending.ts';
import { type ConnectionOptions, type DeviceOptions, startRestOf } from './settings.ts';

/** Places that every text which is sent may have. */
const common = ['id', 'sequence'];

export function check({ connection, devices }: Line<ConnectionOptions, DeviceOptions, Address>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const add = (severity: ConfigFault['severity'], place: string, message: string) => faults.push({ severity, place, message });
  const lineEnds = (place: string, sent: Sent) => {
    if (typeof sent === 'string' && /\\[rn]/.test(sent))
      add('warning', place, 'has a backslash with an n or r in it, not a line end; in YAML a text with \\n needs double quotes');
  };
  const sent = (place: string, text: Sent, allowed: readonly string[]) => {
    const stray = namesIn(text).find((name) => !allowed.includes(name) && !common.includes(name));
    if (stray !== undefined) {
      const known = allowed.length === 0 ? 'there are none here' : `allowed are ${allowed.map((name) => `{${name}}`).join(', ')}`;
      add('error', place, `has the place {${stray}}; ${known}; {{ is a literal brace`);
    }
    lineEnds(place, text);
  };
  const numbered = (place: string, request: Sent, answer: MatchText | undefined) => {
    if (answer !== undefined && usesPlace(answer, 'sequence') && !usesPlace(request, 'sequence'))
      add('error', place, 'has the place {sequence}, which what is sent does not have; allowed is both or neither');
  };
  checkConnection(connection.options, add, sent);
  for (const [d, device] of devices.entries()) {
    const named = (place: string, texts: readonly (Sent | MatchText | undefined)[]) => {
      if (device.address.id === undefined && texts.some((text) => usesPlace(text, 'id')))
        add('error', place, `has the place {id}, and devices[${d}].address.id is missing`);
    };
    for (const [p, { address, momentary }] of device.points.entries()) {
      const place = `devices[${d}].points[${p}].address`;
      const { line, request, reply, set } = address;
      named(place, [line, request, reply, set?.send, set?.ack]);
      if (request !== undefined) {
        lineEnds(`${place}.request`, request);
        numbered(`${place}.reply`, request, reply);
      }
      if (!set) continue;
      sent(`${place}.set.send`, set.send, ['value']);
      numbered(`${place}.set.ack`, set.send, set.ack);
      if (!momentary && !namesIn(set.send).includes('value'))
        add('error', `${place}.set.send`, 'has no {value} in it; allowed only for a momentary point');
    }
    for (const [a, action] of device.actions.entries()) {
      const { send, ack, parameters } = actionOf(action);
      const names = Object.keys(parameters);
      const place = `devices[${d}].commands[${a}]`;
      named(place, [send, ack]);
      sent(`${place}.send`, send, names);
      numbered(`${place}.ack`, send, ack);
      const idle = names.find((name) => !namesIn(send).includes(name));
      if (idle !== undefined) add('warning', `${place}.parameters.${idle}`, `has no place {${idle}} in send`);
    }
  }
  return faults;
}

function checkConnection(
  connection: ConnectionOptions,
  add: (severity: ConfigFault['severity'], place: string, message: string) => void,
  sent: (place: string, text: Sent, allowed: readonly string[]) => void,
): void {
  const { start, connectDelay } = connection;
  for (const [index, step] of start.entries()) {
    if (step.send !== undefined) sent(`connection.start[${index}].send`, step.send, ['password']);
    if (step.send === undefined && step.expect === undefined)
      add('warning', `connection.start[${index}]`, 'does nothing; allowed are send, expect, or both');
  }
  const asks = start.some((step) => step.send !== undefined && step.expect !== undefined);
  const rest = Math.max(connectDelay, asks ? startRestOf(connection) : 0);
  const longest = rest + start.reduce((total, { expect, timeout }) => total + (expect === undefined ? 0 : timeout), 0);
  if (start.length > 0 && longest > limits.openTimeoutMs)
    add(
      connectDelay >= limits.openTimeoutMs ? 'error' : 'warning',
      'connection.start',
      `may take ${formatDurationMs(longest)} with connectDelay or turnaround, and opening is given up after ${formatDurationMs(limits.openTimeoutMs)}`,
    );
}
