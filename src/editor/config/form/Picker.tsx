import { Combobox, type ComboboxOption } from '@grafana/ui';
import { useRef } from 'react';
import { unseen } from '../../unseen.ts';

interface Props {
  id: string;
  /** Its name for whoever does not see it; Grafana 12.3 takes no `aria-label` here. */
  label: string;
  options: ComboboxOption[];
  value: string | null;
  placeholder?: string;
  invalid?: boolean;
  disabled?: boolean;
  width?: number;
  /** Something else than the options may be typed. */
  allowsOther?: boolean;
  /** `undefined` when it is cleared, which is possible unless it is required. */
  isRequired?: boolean;
  onChange(value: string | undefined): void;
}

/** A list to search and choose from. */
export function Picker({ id, label, isRequired = false, allowsOther = false, onChange, options, ...rest }: Props) {
  // Grafana 12 takes an equal option that is another object for a new choice, and renders without end.
  const kept = useRef(options);
  if (JSON.stringify(kept.current) !== JSON.stringify(options)) kept.current = options;
  const shared = { id, 'aria-labelledby': `${id}-name`, createCustomValue: allowsOther, options: kept.current, ...rest };
  // It tells a choice again after each rendering that it took for news; only another one is passed on.
  const choose = (next: string | undefined) => {
    if (next !== (rest.value ?? undefined)) onChange(next);
  };
  return (
    <>
      <span id={`${id}-name`} style={unseen}>
        {label}
      </span>
      {isRequired ? (
        <Combobox {...shared} onChange={({ value }) => choose(value)} />
      ) : (
        <Combobox {...shared} isClearable onChange={(option) => choose(option?.value)} />
      )}
    </>
  );
}
