import { Input } from '@grafana/ui';
import { useState } from 'react';
import { isScalar, placeholderOf, type Schema } from '../schema.ts';
import { noteIdOf } from './Frame.tsx';

interface Props {
  schema: Schema;
  id: string;
  place: string;
  label: string;
  value: unknown;
  readOnly: boolean;
  invalid: boolean;
  isRequired: boolean;
  /** In a list an empty text stays an element. */
  keepsEmpty?: boolean;
  onChange(value: unknown): void;
}

/** A text or a number. What is typed is kept as it is typed; a number that is none yet is kept as text, and the check says so. */
export function TextField({ schema, id, place, label, value, readOnly, invalid, isRequired, keepsEmpty = false, onChange }: Props) {
  const { parse, print } = codecOf(schema, value, keepsEmpty);
  const [typed, setTyped] = useState(() => print(value));
  const shown = Object.is(parse(typed), value) ? typed : print(value);
  return (
    <Input
      id={id}
      aria-label={label}
      aria-describedby={noteIdOf(place)}
      aria-invalid={invalid}
      required={isRequired}
      value={shown}
      placeholder={placeholderOf(schema)}
      invalid={invalid}
      disabled={readOnly}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        onChange(parse(event.currentTarget.value));
      }}
    />
  );
}

interface Codec {
  parse(text: string): unknown;
  print(value: unknown): string;
}

function codecOf(schema: Schema, value: unknown, keepsEmpty: boolean): Codec {
  const types = typesOf(schema);
  const empty = keepsEmpty ? '' : undefined;
  if (isControlled(schema) || (typeof value === 'string' && hasControl(value))) return escaped(empty);
  const isText = types.has('string');
  return {
    parse(text) {
      if (text === '') return empty;
      if (types.has('boolean') && /^(true|false)$/.test(text)) return text === 'true';
      // Leading zeros mean something where texts are allowed: "00004".
      const isNumber = isText ? /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) : /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text);
      const mayBeNumber = types.has('number') || types.has('integer');
      // Beyond 2^53 a browser would round: the digits go on as a text.
      return mayBeNumber && isNumber && (!Number.isInteger(Number(text)) || Number.isSafeInteger(Number(text))) ? Number(text) : text;
    },
    print: printed,
  };
}

const printed = (value: unknown): string =>
  value === undefined || value === null ? '' : isScalar(value) ? String(value) : JSON.stringify(value);

function typesOf(schema: Schema): Set<string> {
  const parts = schema.anyOf ?? schema.oneOf ?? [schema];
  return new Set(parts.flatMap((part) => part.type ?? []));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: line ends and their like are what is looked for.
const hasControl = (text: string): boolean => /[\u0000-\u001f]/.test(text);

/** Settings whose texts have line ends (what ends a line, what is sent) are typed as people know it from programs: \n, \r, \t. */
const isControlled = (schema: Schema): boolean =>
  [schema.default, ...(schema.examples ?? [])].some((text) => typeof text === 'string' && hasControl(text));

function escaped(empty: unknown): Codec {
  return {
    parse(text) {
      if (text === '') return empty;
      try {
        return JSON.parse(`"${text.replaceAll(/\\?"/g, '\\"')}"`);
      } catch {
        // Half an escape, while it is typed.
        return text;
      }
    },
    print: (value) => (typeof value === 'string' ? JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"') : printed(value)),
  };
}
