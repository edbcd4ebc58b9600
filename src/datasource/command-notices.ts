/** What health says of commands: devices that are locked, and points whose last command did not do what it should. */
import { seriesName } from '../contract/sample.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { type Finding, namesOf } from './notices.ts';

export function commandNotices({ commands, devices }: Gateway, insider: boolean): Finding[] {
  const locked = devices().flatMap(({ id }) => {
    const lock = commands.lockOf(id);
    return lock ? [{ id, lock }] : [];
  });
  const failing = commands.failing().toReversed();
  return [
    ...finding(locked, 'locked for maintenance', ({ id, lock }) =>
      insider ? `${id} (${lock.reason}, by ${lock.by.name || lock.by.login})` : id,
    ),
    ...finding(
      failing,
      'whose last command did not end well',
      (record) => {
        const { state, detail } = record;
        return insider ? `${seriesName(record)} (${state}${detail === undefined ? '' : `: ${detail}`})` : seriesName(record);
      },
      'point or command',
      'points or commands',
    ),
  ];
}

function finding<T>(found: readonly T[], state: string, name: (one: T) => string, noun = 'device', plural = 'devices'): Finding[] {
  if (found.length === 0) return [];
  return [{ text: `${found.length} ${found.length === 1 ? noun : plural} ${state}: ${namesOf(found, name)}`, fails: false }];
}
