/** What the fields of a form share: where a change goes, what is wrong where, and where to look. */
import { createContext, useContext, useEffect, useRef } from 'react';
import { isWithin, type Path } from '../document.ts';
import type { ConfigFault } from '../resources.ts';

export interface FormHost {
  set(path: Path, value: unknown): void;
  faults: readonly ConfigFault[];
  readOnly: boolean;
  /** A place somebody wants to see: what hides it opens. Another object each time. */
  target?: { place: string } | undefined;
}

export const FormContext = createContext<FormHost>({ set: () => {}, faults: [], readOnly: true });

export const useForm = (): FormHost => useContext(FormContext);

export function faultsAt(faults: readonly ConfigFault[], place: string): ConfigFault[] {
  return faults.filter((fault) => fault.place === place);
}

export function faultsWithin(faults: readonly ConfigFault[], place: string): ConfigFault[] {
  return faults.filter((fault) => isWithin(fault.place, place));
}

/** Calls `see` once for each place that somebody wants to see. */
export function useTarget(see: (place: string) => void): void {
  const { target } = useForm();
  const latest = useRef(see);
  latest.current = see;
  useEffect(() => {
    if (target) latest.current(target.place);
  }, [target]);
}
