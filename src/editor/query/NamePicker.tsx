import { getTemplateSrv } from '@grafana/runtime';
import { type ComboboxOption, MultiCombobox } from '@grafana/ui';
import type { NameKind } from '../types.ts';
import { Labelled } from './Fields.tsx';
import { type Ask, type Chosen, isPattern, suggest } from './names.ts';
import { texts } from './texts.ts';

interface Props {
  ask: Ask;
  what: 'devices' | 'points' | 'connections' | 'values';
  value: readonly string[];
  onChange(value: string[]): void;
  label: string;
  id: string;
  placeholder?: string;
  /** What the names are among: points of these devices. */
  among?: Chosen;
  /** The label whose values are asked for. */
  name?: string;
}

/** Names to choose from while one types, patterns with the number of names they mean, and variables of the dashboard. */
export function NamePicker({ ask, what, value, onChange, label, id, placeholder, among = {}, name }: Props) {
  async function options(typed: string): Promise<ComboboxOption[]> {
    const more = name === undefined ? {} : { name };
    const prefix = isPattern(typed) ? '' : typed.trim();
    const found = await suggest(ask, what, among, { ...more, prefix }).catch(() => ({ suggestions: [], more: false, total: 0 }));
    const names = found.suggestions.map(({ value: id, text }) => ({ value: id, label: text ?? id, ...(text ? { description: id } : {}) }));
    const rest = found.more ? [{ value: '', label: texts.more(found.total - names.length), infoOption: true }] : [];
    const meant = what === 'values' || what === 'connections' ? [] : await patterns(typed.trim());
    // Enter takes the first: a name rather than a pattern, once something was typed.
    return typed === '' ? [...variables(typed), ...meant, ...names, ...rest] : [...names, ...meant, ...variables(typed), ...rest];
  }

  /** What was typed, as a pattern, and all; each with how many there are. */
  async function patterns(typed: string): Promise<ComboboxOption[]> {
    if (typed.includes('$')) return [{ value: typed, label: typed }];
    const pattern = typed === '' ? '*' : isPattern(typed) ? typed : `*${typed}*`;
    const { total } = await suggest(ask, what, { ...among, ...selecting(what, pattern) }, { limit: '1' }).catch(() => ({ total: -1 }));
    if (total < 0) return [{ value: pattern, label: pattern, description: texts.notUnderstood }];
    // A pattern nobody wrote and nothing matches only stands in the way of the name that does.
    if (total === 0 && pattern !== typed) return [];
    const noun = total === 1 ? what.slice(0, -1) : what;
    return [{ value: pattern, label: pattern, description: `${total} ${noun}` }];
  }

  return (
    <MultiCombobox
      id={id}
      aria-label={label}
      placeholder={placeholder ?? ''}
      options={options}
      value={value.map((one) => ({ value: one, label: one }))}
      onChange={(chosen) => onChange(chosen.map((one) => one.value).filter((one) => one !== ''))}
      // Patterns are offered with what they mean; only of a label's values nobody knows all.
      createCustomValue={what === 'values' || what === 'connections'}
      isClearable
      width="auto"
      minWidth={24}
      maxWidth={60}
    />
  );
}

/** A picker with its label above. */
export function NameField(props: Props) {
  return (
    <Labelled id={props.id} label={props.label}>
      <NamePicker {...props} />
    </Labelled>
  );
}

function selecting(what: NameKind, pattern: string): Chosen {
  return what === 'devices' ? { devices: [pattern] } : what === 'points' ? { points: [pattern] } : {};
}

function variables(typed: string): ComboboxOption[] {
  return getTemplateSrv()
    .getVariables()
    .map(({ name }) => `$${name}`)
    .filter((name) => name.includes(typed) || typed === '')
    .map((name) => ({ value: name, label: name, description: texts.variable }));
}
