import { TextArea } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../../Note.tsx';
import { texts } from '../texts.ts';
import { noteIdOf } from './Frame.tsx';

interface Props {
  id: string;
  place: string;
  label: string;
  value: unknown;
  readOnly: boolean;
  onChange(value: unknown): void;
}

/** A value of no form we know, as JSON. */
export function JsonField({ id, place, label, value, readOnly, onChange }: Props) {
  const [typed, setTyped] = useState(() => print(value));
  const read = parse(typed);
  const shown = read && JSON.stringify(read.value) !== JSON.stringify(value) ? print(value) : typed;
  return (
    <>
      <TextArea
        id={id}
        aria-label={label}
        aria-describedby={noteIdOf(place)}
        value={shown}
        rows={Math.min(Math.max(shown.split('\n').length, 2), 12)}
        disabled={readOnly}
        spellCheck={false}
        style={{ fontFamily: 'monospace' }}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          const next = parse(event.currentTarget.value);
          if (next) onChange(next.value);
        }}
      />
      {!read && <Note color="warning">{texts.json}</Note>}
    </>
  );
}

const print = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value, null, 2));

function parse(text: string): { value: unknown } | undefined {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
