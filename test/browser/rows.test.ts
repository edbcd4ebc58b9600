/** What of the config editor's lists can be told without a page. */
import { expect, it } from 'vitest';
import { moved } from '../../src/editor/config/document.ts';
import { afterMove } from '../../src/editor/config/rows.ts';

it('knows where each element of a list is after any move', () => {
  const list = ['a', 'b', 'c', 'd', 'e'];
  for (const [from] of list.entries())
    for (const [to] of list.entries()) {
      const next = moved(list, from, to);
      expect(list.map((_one, index) => next[afterMove(index, from, to)])).toEqual(list);
    }
});
