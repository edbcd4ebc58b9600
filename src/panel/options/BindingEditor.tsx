import { DataSourcePicker, getTemplateSrv } from '@grafana/runtime';
import { Combobox, Field } from '@grafana/ui';
import { useCallback, useState } from 'react';
import { dataSourceType, sourceOf } from '../view/binding.ts';
import type { ControlOptions } from './options.ts';
import { type Offer, searchDevices, searchTargets } from './search.ts';
import { fields, texts } from './texts.ts';

interface Props {
  control: ControlOptions;
  onChange(change: Partial<ControlOptions>): void;
}

/** Data source, device, and a point or command of it; each found by search, or typed with a variable in it. */
export function BindingEditor({ control, onChange }: Props) {
  const [fault, setFault] = useState('');
  const replace = (text: string) => getTemplateSrv().replace(text);
  const source = sourceOf(replace(control.source));
  const device = replace(control.device);
  const target = control.name ? `${control.target}:${control.name}` : null;

  const guarded = useCallback(async (search: () => Promise<Offer[]>): Promise<Offer[]> => {
    try {
      const found = await search();
      setFault('');
      return found;
    } catch (error) {
      setFault((error as Error).message);
      return [];
    }
  }, []);
  const devices = useCallback(
    (text: string) => guarded(async () => (source === undefined ? [] : await searchDevices(source, text))),
    [source, guarded],
  );
  const targets = useCallback(
    (text: string) => guarded(async () => (source === undefined || device === '' ? [] : await searchTargets(source, device, text))),
    [source, device, guarded],
  );

  return (
    <>
      <Field label={texts.dataSource}>
        <DataSourcePicker
          pluginId={dataSourceType}
          current={control.source || source || null}
          noDefault
          variables
          onChange={({ uid }) => onChange({ source: uid })}
        />
      </Field>
      <Field {...fields.device} invalid={fault !== ''} error={fault}>
        <Combobox
          aria-label={fields.device.label}
          options={devices}
          value={control.device ? { value: control.device, label: control.device } : null}
          placeholder={texts.searchDevices}
          createCustomValue
          onChange={({ value }) => onChange({ device: value })}
        />
      </Field>
      <Field label={texts.pointOrCommand}>
        <Combobox
          key={device}
          aria-label={texts.pointOrCommand}
          options={targets}
          value={target === null ? null : { value: target, label: control.name, description: control.target }}
          placeholder={device === '' ? texts.chooseDevice : texts.searchTargets}
          createCustomValue
          onChange={({ value }) => onChange(targetOf(value))}
        />
      </Field>
    </>
  );
}

/** What is typed and not chosen is a point, unless it says `command:`. */
function targetOf(value: string): Pick<ControlOptions, 'target' | 'name'> {
  const [, what, name] = /^(point|command):(.*)$/.exec(value) ?? [];
  return { target: what === 'command' ? 'command' : 'point', name: name ?? value };
}
