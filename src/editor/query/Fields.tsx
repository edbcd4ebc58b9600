import { Combobox, type ComboboxOption, Field, Input } from '@grafana/ui';
import { type ReactNode, useEffect, useState } from 'react';

interface Frame {
  id: string;
  label: string;
  children: ReactNode;
}

/** A field with its label above, so that a row of them wraps on a narrow screen. */
export function Labelled({ id, label, children }: Frame) {
  return (
    <Field label={label} htmlFor={id} noMargin>
      <div>{children}</div>
    </Field>
  );
}

interface Choice<T extends string> {
  id: string;
  label: string;
  value: T;
  options: ComboboxOption<T>[];
  onChange(value: T): void;
  width?: number;
  /** Whether another text than those that are offered is allowed. */
  isOpen?: boolean;
}

export function Choice<T extends string>({ id, label, value, options, onChange, width = 22, isOpen = false }: Choice<T>) {
  return (
    <Labelled id={id} label={label}>
      <Combobox
        id={id}
        width={width}
        options={options}
        value={value}
        createCustomValue={isOpen}
        onChange={(option) => onChange(option.value)}
      />
    </Labelled>
  );
}

interface Text {
  id: string;
  label: string;
  value: string;
  placeholder?: string;
  onChange(value: string): void;
  width?: number;
}

/** A text that counts when one leaves the field or presses Enter, not at every letter. */
export function TextField({ id, label, value, placeholder, onChange, width = 30 }: Text) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = () => text !== value && onChange(text);
  return (
    <Labelled id={id} label={label}>
      <Input
        id={id}
        value={text}
        width={width}
        placeholder={placeholder ?? ''}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={done}
        onKeyDown={(event) => event.key === 'Enter' && done()}
      />
    </Labelled>
  );
}
