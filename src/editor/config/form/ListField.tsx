import { Button, IconButton, Stack } from '@grafana/ui';
import { listOf, placeOf } from '../document.ts';
import { shapeOf, variantsOf } from '../schema.ts';
import { texts } from '../texts.ts';
import { faultsAt, useForm } from './context.ts';
import { Group } from './GroupField.tsx';
import { type FieldProps, SchemaField } from './SchemaField.tsx';

/** Elements of one kind, one below the other. */
export function ListField({ schema, path, value, label = '' }: FieldProps) {
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  const item = schema.items ?? {};
  const list = listOf(value);
  const shape = shapeOf(item);
  const blank =
    shape === 'text' || shape === 'number' || shape === 'scalar' ? '' : shape === 'variants' ? (variantsOf(item)[0]?.first ?? {}) : {};
  return (
    <Group place={place} label={label} help={schema.description} faults={faultsAt(faults, place)}>
      <Stack direction="column" gap={1}>
        {list.map((element, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an element of a list has no other name than its place.
          <Stack key={index} direction="row" gap={1} alignItems="start">
            <div style={{ flexGrow: 1, minWidth: 0 }}>
              <SchemaField schema={{ ...item, description: '' }} path={[...path, index]} value={element} label="" isOpen keepsEmpty />
            </div>
            <IconButton
              name="trash-alt"
              tooltip={`${texts.remove} ${index + 1}`}
              disabled={readOnly}
              onClick={() => set(path, list.length === 1 ? undefined : list.filter((_one, at) => at !== index))}
            />
          </Stack>
        ))}
        <div>
          <Button
            variant="secondary"
            size="sm"
            icon="plus"
            disabled={readOnly}
            aria-label={texts.addTo(label)}
            onClick={() => set(path, [...list, blank])}
          >
            {texts.add}
          </Button>
        </div>
      </Stack>
    </Group>
  );
}
