import type { Faults } from './faults.ts';
import { withoutUserinfo } from './phrases.ts';
import { tailOf } from './words.ts';

/**
 * Settings are sent to every browser, so a URL with a user or password in it is refused wherever it stands. The URL is not repeated.
 * Walks with a list of its own: a document of brackets is deeper than the call stack.
 */
export function refuseUserinfo(document: unknown, faults: Faults): void {
  const waiting: { value: unknown; path: PropertyKey[] }[] = [{ value: document, path: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value === 'string' && withoutUserinfo(value) !== value) {
      const depth = elementDepth(path);
      const message =
        'has a user or password in its URL, which every browser would see; give them as username and as a secret of the connection';
      faults.add(tailOf(path.slice(0, depth)).replace(/^\./, ''), tailOf(path.slice(depth)), message);
    }
    if (typeof value !== 'object' || value === null || path.length > 32) continue;
    for (const [key, child] of Object.entries(value))
      waiting.push({ value: child, path: [...path, Array.isArray(value) ? Number(key) : key] });
  }
}

/** How many steps of a path name the element that is left out: `devices[2].points[0]` are 4. */
function elementDepth(path: readonly PropertyKey[]): number {
  const list = path[0] === 'connections' || path[0] === 'devices' || path[0] === 'profiles';
  if (!list || typeof path[1] !== 'number') return Math.min(1, path.length);
  return (path[2] === 'points' || path[2] === 'commands') && typeof path[3] === 'number' ? 4 : 2;
}
