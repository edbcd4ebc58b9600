/**
 * The one of the offered content types that an `Accept` header likes best (RFC 9110 §12.5.1); the first if it likes several alike, or none. Exact
 * names count before `text/*` and that before `*`/`*`.
 */
import { limits } from '../../contract/limits.ts';

export function preferred<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  const asked = (accept ?? '').split(',', limits.acceptKindsMax).map((text) => {
    const [kind = '', ...parameters] = text.toLowerCase().split(';');
    const weight = parameters.map((one) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(one)?.[1]).find((found) => found !== undefined);
    return { kind: kind.trim(), weight: Number(weight ?? 1) };
  });
  const weightOf = (type: string): number => {
    const names = [type, `${type.split('/')[0]}/*`, '*/*'];
    for (const name of names) {
      const found = asked.find(({ kind }) => kind === name);
      if (found) return found.weight;
    }
    return 0;
  };
  return offered.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best), offered[0]);
}
