import { Combobox, type ComboboxOption } from '@grafana/ui';

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

const unseen = { position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)', whiteSpace: 'nowrap' } as const;

/** A list to search and choose from. */
export function Picker({ id, label, isRequired = false, allowsOther = false, onChange, ...rest }: Props) {
  const shared = { id, 'aria-labelledby': `${id}-name`, createCustomValue: allowsOther, ...rest };
  return (
    <>
      <span id={`${id}-name`} style={unseen}>
        {label}
      </span>
      {isRequired ? (
        <Combobox {...shared} onChange={({ value }) => onChange(value)} />
      ) : (
        <Combobox {...shared} isClearable onChange={(option) => onChange(option?.value)} />
      )}
    </>
  );
}
