import { Checkbox, Stack, Switch } from '@grafana/ui';
import type { ReactNode } from 'react';
import { listOf, type Path, placeOf, withValue } from '../document.ts';
import { choicesOf, isScalar, nameOf, type Schema, shapeOf } from '../schema.ts';
import { ChoiceField } from './ChoiceField.tsx';
import { FormContext, faultsAt, faultsWithin, useForm } from './context.ts';
import { Frame, inputIdOf } from './Frame.tsx';
import { GroupField } from './GroupField.tsx';
import { JsonField } from './JsonField.tsx';
import { ListField } from './ListField.tsx';
import { MapField } from './MapField.tsx';
import { TextField } from './TextField.tsx';
import { VariantField } from './VariantField.tsx';

export interface FieldProps {
  schema: Schema;
  path: Path;
  value: unknown;
  /** '' draws no label: an element of a list. */
  label?: string;
  isRequired?: boolean;
  /** True for an object that is always shown, whether it is written down or not. */
  isOpen?: boolean;
  keepsEmpty?: boolean;
  /** Members that are drawn elsewhere. */
  hidden?: readonly string[];
  /** Members in front, for an object. */
  front?: readonly string[];
  /** Own fields for some members of an object, by name. */
  own?: Readonly<Record<string, (props: FieldProps) => ReactNode>>;
}

/** One value, asked for as its schema says. */
export function SchemaField(props: FieldProps) {
  const form = useForm();
  const { schema, path, value } = props;
  const whole = schema.default;
  const isParts = typeof whole === 'object' && whole !== null && Object.keys(whole).length > 0;
  if (!isParts || value !== undefined) return <Field {...props} />;
  // A default of several parts is shown, and a change of one part writes the others down with it.
  const set: typeof form.set = (place, next) => form.set(path, withValue(whole, place.slice(path.length), next));
  return (
    <FormContext.Provider value={{ ...form, set }}>
      <Field {...props} value={whole} />
    </FormContext.Provider>
  );
}

function Field(props: FieldProps) {
  const { schema, path, value, isRequired = false, keepsEmpty = false } = props;
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  const label = props.label ?? nameOf(String(path.at(-1) ?? ''));
  const spoken = label || nameOf(String(path.findLast((key) => typeof key === 'string') ?? ''));
  const onChange = (next: unknown) => set(path, next);
  const shape = shapeOf(schema);
  if (shape === 'fixed') return null;
  if (shape === 'group') return <GroupField {...props} label={label} />;
  if (shape === 'variants') return <VariantField {...props} label={label} />;
  if (shape === 'list') return <ListField {...props} label={label} />;
  if (shape === 'map') return <MapField {...props} label={label} />;
  // What lies within has no field of its own here.
  const own = shape === 'choices' || shape === 'json' ? faultsWithin(faults, place) : faultsAt(faults, place);
  const id = inputIdOf(place);
  const shared = { id, place, label: spoken, value, readOnly, onChange, invalid: own.some(({ severity }) => severity === 'error') };
  const input =
    shape === 'choice' ? (
      <ChoiceField {...shared} schema={schema} />
    ) : shape === 'switch' ? (
      <Switch
        id={id}
        aria-label={spoken}
        value={(value ?? schema.default ?? false) === true}
        disabled={readOnly}
        onChange={(event) => onChange(event.currentTarget.checked === (schema.default ?? false) ? undefined : event.currentTarget.checked)}
      />
    ) : shape === 'choices' ? (
      <Choices {...shared} schema={schema} />
    ) : shape === 'json' ? (
      <JsonField {...shared} />
    ) : (
      <TextField {...shared} schema={schema} isRequired={isRequired} keepsEmpty={keepsEmpty} />
    );
  return (
    <Frame place={place} inputId={id} label={label || undefined} help={schema.description} isRequired={isRequired} faults={own}>
      {input}
    </Frame>
  );
}

interface ChoicesProps {
  schema: Schema;
  id: string;
  label: string;
  value: unknown;
  readOnly: boolean;
  onChange(value: unknown): void;
}

/** Several of a few words, to be ticked; they stay in the schema's order. */
function Choices({ schema, id, label, value, readOnly, onChange }: ChoicesProps) {
  const chosen = listOf(value ?? schema.default);
  const choices = choicesOf(schema.items ?? {});
  return (
    <fieldset id={id} aria-label={label} style={{ border: 0, padding: 0, margin: 0 }}>
      <Stack direction="row" wrap="wrap" gap={2}>
        {choices
          .filter(({ value: one }) => isScalar(one))
          .map((one) => (
            <Checkbox
              key={String(one.value)}
              label={one.label}
              value={chosen.includes(one.value)}
              disabled={readOnly}
              onChange={() => {
                const isOn = (given: unknown) => (given === one.value ? !chosen.includes(given) : chosen.includes(given));
                onChange(choices.map((each) => each.value).filter(isOn));
              }}
            />
          ))}
      </Stack>
    </fieldset>
  );
}
