/** What is wrong with a line although each part of it is well formed. Pure. */
import type { Line } from '../../src/contract/driver.ts';
import type { ConfigFault } from '../../src/contract/fault.ts';
import { actionOf } from './action.ts';
import type { Address } from './address.ts';
import type { ConnectionOptions, DeviceOptions } from './settings.ts';
import { compileTemplate } from './template.ts';

export function check({ devices }: Line<ConnectionOptions, DeviceOptions, Address>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const add = (severity: ConfigFault['severity'], place: string, message: string) => faults.push({ severity, place, message });
  const sent = (place: string, text: string, allowed: readonly string[]) => {
    const stray = compileTemplate(text).names.find((name) => !allowed.includes(name));
    if (stray !== undefined) {
      const known = allowed.length === 0 ? 'there are none here' : `allowed are ${allowed.map((name) => `{${name}}`).join(', ')}`;
      add('error', place, `has the place {${stray}}; ${known}; {{ is a literal brace`);
    }
    if (/\\[rn]/.test(text))
      add('warning', place, 'has a backslash with an n or r in it, not a line end; in YAML a text with \\n needs double quotes');
  };
  for (const [d, device] of devices.entries()) {
    for (const [p, { address, momentary }] of device.points.entries()) {
      const place = `devices[${d}].points[${p}].address`;
      if (address.request !== undefined && /\\[rn]/.test(address.request))
        sent(`${place}.request`, address.request.replaceAll('{', '{{'), []);
      if (!address.set) continue;
      sent(`${place}.set.send`, address.set.send, ['value']);
      if (!momentary && !compileTemplate(address.set.send).names.includes('value'))
        add('error', `${place}.set.send`, 'has no {value} in it; allowed only for a momentary point');
    }
    for (const [a, action] of device.actions.entries()) {
      const { send, parameters } = actionOf(action);
      const names = Object.keys(parameters);
      sent(`devices[${d}].commands[${a}].send`, send, names);
      const idle = names.find((name) => !compileTemplate(send).names.includes(name));
      if (idle !== undefined) add('warning', `devices[${d}].commands[${a}].parameters.${idle}`, `has no place {${idle}} in send`);
    }
  }
  return faults;
}
