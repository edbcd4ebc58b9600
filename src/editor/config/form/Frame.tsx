import { FieldValidationMessage, Label, Text } from '@grafana/ui';
import type { ReactNode } from 'react';
import { Note } from '../../Note.tsx';
import type { ConfigFault } from '../resources.ts';
import { texts } from '../texts.ts';

interface Props {
  /** The place of the value, for whoever jumps to it. */
  place: string;
  /** Of the input; the label points to it. Absent for a group, which has its own name. */
  inputId?: string;
  label?: string | undefined;
  help?: string | undefined;
  isRequired?: boolean;
  faults: readonly ConfigFault[];
  children: ReactNode;
}

export const inputIdOf = (place: string): string => `fieldgate-${place}`;
export const noteIdOf = (place: string): string => `fieldgate-note-${place}`;

/** A label, help, the input, and what is wrong with it. */
export function Frame({ place, inputId, label, help, isRequired = false, faults, children }: Props) {
  return (
    <div data-place={place} style={{ minWidth: 0 }}>
      {label !== undefined && (
        <Label {...(inputId === undefined ? {} : { htmlFor: inputId })}>
          {label}
          {isRequired && <span style={{ marginLeft: 4, fontWeight: 400 }}>({texts.required})</span>}
        </Label>
      )}
      {children}
      <div id={noteIdOf(place)} style={{ marginTop: 2 }}>
        <Faults faults={faults} />
        {help !== undefined && <Note>{help}</Note>}
      </div>
    </div>
  );
}

export function Faults({ faults }: { faults: readonly ConfigFault[] }) {
  return faults.map(({ severity, place, message }) =>
    severity === 'error' ? (
      <div key={`${place} ${message}`} style={{ margin: '4px 0' }}>
        <FieldValidationMessage>{message}</FieldValidationMessage>
      </div>
    ) : (
      <Text key={`${place} ${message}`} element="p" variant="bodySmall" color="warning">
        {message}
      </Text>
    ),
  );
}
