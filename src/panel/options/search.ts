/** Searches of the option editors: devices, and what of a device can be commanded. */
import { limitsPanel } from '../../contract/limits-panel.ts';
import type { AccessAnswer, DeviceAnswer } from '../source/answers.ts';
import { ask, pathOf } from '../source/resources.ts';
import { texts } from './texts.ts';

export interface Offer {
  value: string;
  label: string;
  description?: string;
}

interface SuggestAnswer {
  suggestions: { value: string; text?: string }[];
}

/** Devices whose id or title begins with the text. */
export async function searchDevices(source: string, text: string): Promise<Offer[]> {
  const path = `suggest?what=devices&prefix=${encodeURIComponent(text)}&limit=${limitsPanel.suggestionsMax}`;
  const { suggestions } = await ask<SuggestAnswer>(source, 'GET', path);
  return suggestions.map(({ value, text: title }) => ({
    value,
    label: title ?? value,
    ...(title === undefined ? {} : { description: value }),
  }));
}

/**
 * Points that can be set and commands of a device, `point:setpoint` and `command:reboot`, whose id or title holds the text: what `access/me` lists, in the
 * words of the device.
 */
export async function searchTargets(source: string, device: string, text: string): Promise<Offer[]> {
  const [{ targets = [] }, { points, commands }] = await Promise.all([
    ask<AccessAnswer>(source, 'GET', `access/me?device=${encodeURIComponent(device)}`),
    ask<DeviceAnswer>(source, 'GET', pathOf('devices', device)),
  ]);
  const wanted = text.toLowerCase();
  return targets
    .flatMap(({ point, command, may, why }): Offer[] => {
      const id = point ?? command ?? '';
      const { title } = points.find((one) => one.id === point) ?? commands.find((one) => one.id === command) ?? { title: id };
      const what = point === undefined ? 'command' : 'point';
      const about = [id === title ? '' : id, what, may ? '' : (why ?? texts.notForYou)].filter((part) => part !== '').join(' · ');
      return [{ value: `${what}:${id}`, label: title, description: about }];
    })
    .filter(({ value, label }) => value.toLowerCase().includes(wanted) || label.toLowerCase().includes(wanted))
    .slice(0, limitsPanel.suggestionsMax);
}
