import { RadioButtonGroup } from '@grafana/ui';
import { placeOf } from '../document.ts';
import { variantsOf } from '../schema.ts';
import { texts } from '../texts.ts';
import { faultsAt, useForm } from './context.ts';
import { inputIdOf } from './Frame.tsx';
import { Group } from './GroupField.tsx';
import { Picker } from './Picker.tsx';
import { type FieldProps, SchemaField } from './SchemaField.tsx';

/** A value that may be written in several ways: which one is chosen first, then its fields are drawn. */
export function VariantField({ schema, path, value, label = '', isRequired = false, keepsEmpty = false }: FieldProps) {
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  const variants = variantsOf(schema);
  const written = value ?? schema.default;
  const chosen = variants.find((one) => one.fits(written));
  const options = variants.map(({ key, label: name, line }) => ({ value: key, label: name, ...(line && { description: line }) }));
  const letters = options.reduce((sum, one) => sum + one.label.length + 3, 0);
  const spoken = `${label} ${label === '' ? '' : '– '}kind`;
  const choose = (key: string | undefined) => {
    const next = variants.find((one) => one.key === key);
    if (next?.key !== chosen?.key) set(path, next?.first);
  };
  // What fits none is shown as it is; choosing a kind replaces it.
  const isOdd = !chosen && value !== undefined;
  return (
    <Group
      place={place}
      label={label}
      help={schema.description}
      faults={chosen?.schema && !isNested(chosen.schema) ? [] : faultsAt(faults, place)}
    >
      {letters <= 50 && options.length <= 4 ? (
        <RadioButtonGroup
          id={inputIdOf(place)}
          aria-label={spoken}
          options={options}
          {...(chosen ? { value: chosen.key } : {})}
          disabled={readOnly}
          onChange={choose}
        />
      ) : (
        <div style={{ maxWidth: 340 }}>
          <Picker
            id={inputIdOf(place)}
            label={spoken}
            isRequired={isRequired}
            options={options}
            value={chosen?.key ?? null}
            placeholder={isRequired ? texts.choose : texts.default}
            onChange={choose}
            disabled={readOnly}
          />
        </div>
      )}
      <div style={{ marginTop: 8 }}>
        {chosen?.schema && (
          <SchemaField schema={{ ...chosen.schema, description: '' }} path={path} value={written} label="" isOpen keepsEmpty={keepsEmpty} />
        )}
        {isOdd && <SchemaField schema={{}} path={path} value={value} label="" />}
      </div>
    </Group>
  );
}

const isNested = (schema: { properties?: unknown }): boolean => schema.properties !== undefined;
