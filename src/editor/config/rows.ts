/** A list of which one element is open: what its rows do, and which one is open afterwards. */
import { useState } from 'react';
import { duplicated, moved } from './document.ts';

/** Of a list of rows, what each `Row` is given beside its words. */
export interface RowActs {
  isOpen: boolean;
  onToggle(): void;
  onUp: (() => void) | undefined;
  onDown: (() => void) | undefined;
  onDuplicate(): void;
  onRemove(): void;
}

interface Rows {
  setOpen(index: number | undefined): void;
  /** `before` and `after` are the places it is moved to, if the list has them; `reveal` opens a copy, wherever that is. */
  actsOf(index: number, before?: number, after?: number, reveal?: (index: number) => void): RowActs;
}

export function useRows(list: readonly unknown[], put: (next: unknown[]) => void, first?: number): Rows {
  const [open, setOpen] = useState(first);
  function move(from: number, to: number): void {
    put(moved(list, from, to));
    setOpen(open === undefined ? undefined : afterMove(open, from, to));
  }
  const mover = (from: number, to = -1) => (to in list ? () => move(from, to) : undefined);
  return {
    setOpen,
    actsOf: (index, before, after, reveal = setOpen) => ({
      isOpen: open === index,
      onToggle: () => setOpen(open === index ? undefined : index),
      onUp: mover(index, before),
      onDown: mover(index, after),
      onDuplicate: () => {
        put(duplicated(list, index));
        reveal(index + 1);
      },
      onRemove: () => {
        put(list.filter((_one, at) => at !== index));
        setOpen(undefined);
      },
    }),
  };
}

/** Where an element is once that at `from` was moved to `to`: those between make room. */
export function afterMove(index: number, from: number, to: number): number {
  if (index === from) return to;
  if (from < index && index <= to) return index - 1;
  return to <= index && index < from ? index + 1 : index;
}
