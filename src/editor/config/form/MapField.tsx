import { Button, IconButton, Input, Stack } from '@grafana/ui';
import { useState } from 'react';
import { itemOf, placeOf } from '../document.ts';
import { type Schema, shapeOf } from '../schema.ts';
import { texts } from '../texts.ts';
import { faultsWithin, useForm } from './context.ts';
import { Group } from './GroupField.tsx';
import { type FieldProps, SchemaField } from './SchemaField.tsx';

/** Names with values: labels, names of states. A row without a name is not written down yet. */
export function MapField({ schema, path, value, label = '' }: FieldProps) {
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  const inner = typeof schema.additionalProperties === 'object' ? (schema.additionalProperties as Schema) : {};
  const isText = shapeOf(inner) === 'text';
  const [typed, setTyped] = useState<[string, unknown][]>(() => Object.entries(itemOf(value)));
  const written = (rows: [string, unknown][]) => Object.fromEntries(rows.filter(([name]) => name !== ''));
  const rows = JSON.stringify(written(typed)) === JSON.stringify(itemOf(value)) ? typed : Object.entries(itemOf(value));

  function change(next: [string, unknown][]): void {
    setTyped(next);
    const map = written(next);
    set(path, Object.keys(map).length === 0 ? undefined : map);
  }
  const replace = (at: number, row: [string, unknown]) => change(rows.map((one, index) => (index === at ? row : one)));

  return (
    <Group
      place={place}
      label={label}
      help={schema.description}
      faults={isText ? faultsWithin(faults, place) : faultsWithin(faults, place).slice(0, 1)}
    >
      <Stack direction="column" gap={1}>
        {rows.map(([name, element], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the name is what is being typed.
          <Stack key={index} direction="row" gap={1} alignItems="start">
            <div style={{ width: 160, flexShrink: 1, minWidth: 64 }}>
              <Input
                aria-label={`${label} ${index + 1}: ${texts.name}`}
                placeholder={texts.name}
                value={name}
                disabled={readOnly}
                onChange={(event) => replace(index, [event.currentTarget.value, element])}
              />
            </div>
            <div style={{ flexGrow: 1, minWidth: 0 }}>
              {isText ? (
                <Input
                  aria-label={`${label} ${index + 1}: ${texts.value}`}
                  placeholder={texts.value}
                  value={typeof element === 'string' ? element : JSON.stringify(element)}
                  disabled={readOnly}
                  onChange={(event) => replace(index, [name, event.currentTarget.value])}
                />
              ) : (
                <SchemaField schema={inner} path={[...path, name]} value={element} label="" isOpen />
              )}
            </div>
            <IconButton
              name="trash-alt"
              tooltip={`${texts.remove} ${name || index + 1}`}
              disabled={readOnly}
              onClick={() => change(rows.filter((_one, at) => at !== index))}
            />
          </Stack>
        ))}
        <div>
          <Button
            variant="secondary"
            size="sm"
            icon="plus"
            disabled={readOnly || rows.some(([name]) => name === '')}
            aria-label={texts.addTo(label)}
            onClick={() => setTyped([...rows, ['', isText ? '' : {}]])}
          >
            {texts.add}
          </Button>
        </div>
      </Stack>
    </Group>
  );
}
