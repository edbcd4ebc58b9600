import { Button, useTheme2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import { Note } from '../../Note.tsx';
import { placeOf } from '../document.ts';
import type { ConfigFault } from '../resources.ts';
import { texts } from '../texts.ts';
import { faultsAt, useForm } from './context.ts';
import { Frame } from './Frame.tsx';
import { Members } from './Members.tsx';
import type { FieldProps } from './SchemaField.tsx';

/** An object. Where it matters whether it is there at all, it is added and removed; else its members are simply shown. */
export function GroupField(props: FieldProps & { label: string }) {
  const { schema, path, value, label, isRequired = false, isOpen = false } = props;
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  const isAlways = isRequired || isOpen || label === '' || schema.default !== undefined;
  const own = faultsAt(faults, place);
  if (!isAlways && value === undefined) {
    return (
      <Frame place={place} label={label} help={schema.description} faults={own}>
        <Button variant="secondary" size="sm" icon="plus" disabled={readOnly} onClick={() => set(path, {})}>
          {texts.addTo(label)}
        </Button>
      </Frame>
    );
  }
  return (
    <Group place={place} label={label} help={schema.description} faults={own}>
      <Members {...props} />
      {!isAlways && (
        <Button variant="secondary" fill="text" size="sm" icon="trash-alt" disabled={readOnly} onClick={() => set(path, undefined)}>
          {texts.removeFrom(label)}
        </Button>
      )}
    </Group>
  );
}

interface GroupProps {
  place: string;
  label: string;
  help?: string | undefined;
  faults: readonly ConfigFault[];
  children: ReactNode;
}

/** Fields that belong together, with a line at their side. */
export function Group({ place, label, help, faults, children }: GroupProps) {
  const theme = useTheme2();
  const inner = (
    <Frame place={place} faults={faults}>
      {help && (
        <div style={{ marginBottom: 8 }}>
          <Note>{help}</Note>
        </div>
      )}
      {children}
    </Frame>
  );
  if (label === '') return inner;
  return (
    <fieldset style={{ border: 0, borderLeft: `2px solid ${theme.colors.border?.medium}`, padding: '0 0 0 12px', margin: 0, minWidth: 0 }}>
      <legend style={{ fontSize: theme.typography.bodySmall.fontSize, fontWeight: 500, margin: '0 0 4px', border: 0, width: 'auto' }}>
        {label}
      </legend>
      {inner}
    </fieldset>
  );
}
