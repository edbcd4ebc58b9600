import { useMemo, useState } from 'react';
import type { ParameterAnswer } from '../source/answers.ts';
import { faultOf, givenIn, openIn, parametersOf } from './parameters.ts';
import { texts } from './texts.ts';

/** Why a command cannot be sent yet, or what goes along with it; and the fields for what the options of the panel leave open. */
export interface ParametersInUse {
  open: ParameterAnswer[];
  typed: Readonly<Record<string, string>>;
  type(name: string, text: string): void;
  parameters: Record<string, unknown>;
  /** In a sentence. */
  fault: string | undefined;
}

/** `text` is what the options give, with the variables of the dashboard in it. */
export function useParameters(text: string, listed: readonly ParameterAnswer[]): ParametersInUse {
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const given = useMemo(() => givenIn(text), [text]);
  const open = openIn(listed, given ?? {});
  const typed = Object.fromEntries(
    open.map(({ name, default: usual }) => [name, drafts[name] ?? (usual === undefined ? '' : String(usual))]),
  );
  const wrong = open.find((one) => faultOf(one, typed[one.name] ?? '') !== undefined);
  const fault =
    given === undefined ? texts.badParameters : wrong && `${wrong.title ?? wrong.name} ${faultOf(wrong, typed[wrong.name] ?? '')}.`;
  return {
    open,
    typed,
    type: (name, draft) => setDrafts((before) => ({ ...before, [name]: draft })),
    parameters: parametersOf(listed, given ?? {}, typed),
    fault,
  };
}
