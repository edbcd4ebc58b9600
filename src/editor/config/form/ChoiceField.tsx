import { RadioButtonGroup } from '@grafana/ui';
import { type Choice, choicesOf, isScalar, type Schema } from '../schema.ts';
import { texts } from '../texts.ts';
import { Picker } from './Picker.tsx';

interface Props {
  schema: Schema;
  id: string;
  label: string;
  value: unknown;
  readOnly: boolean;
  invalid: boolean;
  onChange(value: unknown): void;
}

/** Few and short: buttons side by side. Else a list to search. A value that is not among them is shown and stays until another is chosen. */
export function ChoiceField({ schema, id, label, value, readOnly, invalid, onChange }: Props) {
  const choices = choicesOf(schema);
  const current = value ?? schema.default;
  const isKnown = value === undefined || choices.some((one) => one.value === value);
  const options: Choice[] = isKnown || !isScalar(value) ? choices : [{ label: String(value), value }, ...choices];
  const letters = options.reduce((sum, one) => sum + one.label.length + 3, 0);
  // The default is not written down, so that a later version may have a better one.
  const choose = (next: unknown) => onChange(next === schema.default ? undefined : next);
  if (options.length <= 4 && letters <= 34 && schema.default !== undefined) {
    return (
      <RadioButtonGroup
        id={id}
        aria-label={label}
        options={options.map((one) => ({ ...one }))}
        value={current}
        disabled={readOnly}
        invalid={invalid}
        onChange={choose}
      />
    );
  }
  // Of numbers and words the list keeps the words; what is chosen is looked up.
  return (
    <Picker
      id={id}
      label={label}
      options={options.map((one) => ({
        label: one.label,
        value: String(one.value),
        ...(one.description ? { description: one.description } : {}),
      }))}
      value={current === undefined ? null : String(current)}
      placeholder={texts.default}
      disabled={readOnly}
      invalid={invalid}
      onChange={(next) => choose(options.find((one) => String(one.value) === next)?.value)}
    />
  );
}
