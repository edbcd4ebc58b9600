import type { QueryEditorProps } from '@grafana/data';
import { Button, IconButton, Stack } from '@grafana/ui';
import type { FieldgateDataSource } from '../datasource.ts';
import type { FieldgateQuery, FieldgateSettings, FieldgateVariableQuery, NameKind } from '../types.ts';
import { Choice, TextField } from './Fields.tsx';
import { expand } from './interpolate.ts';
import { NameField } from './NamePicker.tsx';
import { kindTexts, texts } from './texts.ts';

type Props = QueryEditorProps<FieldgateDataSource, FieldgateQuery, FieldgateSettings, FieldgateVariableQuery>;

const kinds = (Object.entries(kindTexts) as [NameKind, { label: string; description: string }][]).map(([value, said]) => ({
  value,
  ...said,
}));

/** What a variable is filled with. `$site` in a field makes it depend on that variable. */
export function VariableEditor({ datasource, query, onChange }: Props) {
  const { what = 'devices', label = '', devices = [], points = [], labels = {} } = query;
  const change = (changes: Partial<FieldgateVariableQuery>) => onChange({ ...query, refId: query.refId ?? 'variable', what, ...changes });
  const rows = Object.entries(labels);
  const setLabel = (index: number, [name, selector]: [string, string]) =>
    change({ labels: Object.fromEntries(rows.map((row, i) => (i === index ? [name, selector] : row))) });
  return (
    <Stack direction="column" gap={2}>
      <Stack gap={2} wrap="wrap" alignItems="flex-start">
        <Choice id="variable-what" label={texts.fillWith} value={what} options={kinds} onChange={(value) => change({ what: value })} />
        {what === 'values' && (
          <TextField
            id="variable-label"
            label={texts.label}
            placeholder={texts.labelHint}
            value={label}
            onChange={(value) => change({ label: value })}
          />
        )}
        {what !== 'connections' && (
          <NameField
            ask={datasource.ask}
            what="devices"
            id="variable-devices"
            label={texts.ofDevices}
            placeholder={texts.ofDevicesHint}
            value={devices}
            onChange={(chosen) => change({ devices: chosen })}
          />
        )}
        {what === 'points' && (
          <NameField
            ask={datasource.ask}
            what="points"
            id="variable-points"
            label={texts.points}
            placeholder={texts.all}
            among={{ devices: devices.flatMap((one) => expand(one, {})) }}
            value={points}
            onChange={(chosen) => change({ points: chosen })}
          />
        )}
      </Stack>
      {what !== 'connections' && (
        <Stack direction="column" gap={1}>
          {rows.map(([name, selector], index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the name changes while it is typed.
            <Stack key={index} gap={1} alignItems="flex-end" wrap="wrap">
              <TextField
                id={`variable-label-${index}`}
                label={texts.onlyWithLabel}
                width={20}
                value={name}
                onChange={(next) => setLabel(index, [next, selector])}
              />
              <TextField
                id={`variable-selector-${index}`}
                label={texts.thatIs}
                placeholder={texts.selectorHint}
                value={selector}
                onChange={(next) => setLabel(index, [name, next])}
              />
              <IconButton
                name="trash-alt"
                aria-label={texts.remove(texts.labelRow(index + 1))}
                onClick={() => change({ labels: Object.fromEntries(rows.filter((_, i) => i !== index)) })}
              />
            </Stack>
          ))}
          <div>
            <Button
              variant="secondary"
              size="sm"
              icon="plus"
              onClick={() => change({ labels: { ...labels, [`label${rows.length + 1}`]: '*' } })}
            >
              {texts.onlyWithLabel}
            </Button>
          </div>
        </Stack>
      )}
    </Stack>
  );
}
