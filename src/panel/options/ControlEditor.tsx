import { Combobox, Field, Input, RadioButtonGroup, Switch, TextArea } from '@grafana/ui';
import { BindingEditor } from './BindingEditor.tsx';
import { type ButtonColour, buttonColours, type Choice, type ControlOptions, controlKinds } from './options.ts';
import { ParametersEditor } from './ParametersEditor.tsx';
import { fields, kindWords, texts } from './texts.ts';

interface Props {
  control: ControlOptions;
  onChange(control: ControlOptions): void;
}

export function ControlEditor({ control, onChange }: Props) {
  const change = (part: Partial<ControlOptions>) => onChange({ ...control, ...part });
  const text = (name: 'title' | 'label' | 'value' | 'release' | 'on' | 'off' | 'question') => (
    <Field {...fields[name]}>
      <Input value={control[name]} onChange={({ currentTarget }) => change({ [name]: currentTarget.value })} />
    </Field>
  );
  const { kind, target } = control;
  const button = kind === 'button' || kind === 'press' || target === 'command';
  return (
    <>
      <Field label={texts.kind}>
        <Combobox
          aria-label={texts.kind}
          options={controlKinds.map((value) => ({ value, ...kindWords[value] }))}
          value={kind}
          onChange={({ value }) => change({ kind: value })}
        />
      </Field>
      <BindingEditor control={control} onChange={change} />
      {text('title')}
      {button && text('label')}
      {button && (
        <Field label={texts.colour}>
          <Combobox
            aria-label={texts.colour}
            options={buttonColours.map((value) => ({ value, label: value }))}
            value={control.colour}
            onChange={({ value }) => change({ colour: value as ButtonColour })}
          />
        </Field>
      )}
      {target === 'point' && (kind === 'button' || kind === 'press') && text('value')}
      {target === 'point' && kind === 'press' && text('release')}
      {kind === 'toggle' && text('off')}
      {kind === 'toggle' && text('on')}
      {kind === 'choice' && (
        <Field {...fields.choices}>
          <TextArea
            key={control.id}
            rows={4}
            defaultValue={control.choices.map(lineOf).join('\n')}
            onBlur={({ currentTarget }) => change({ choices: choicesIn(currentTarget.value) })}
          />
        </Field>
      )}
      {kind === 'slider' && (
        <Field label={texts.send}>
          <RadioButtonGroup
            options={[
              { value: 'release' as const, label: texts.whenLetGo },
              { value: 'button' as const, label: texts.withButton },
            ]}
            value={control.send}
            onChange={(send) => change({ send })}
          />
        </Field>
      )}
      {target === 'command' && <ParametersEditor key={`${control.device} ${control.name}`} control={control} onChange={change} />}
      <Field {...fields.confirm}>
        <Switch
          label={fields.confirm.label}
          value={control.confirm}
          onChange={({ currentTarget }) => change({ confirm: currentTarget.checked })}
        />
      </Field>
      {text('question')}
      <Field {...fields.askReason}>
        <Switch
          label={fields.askReason.label}
          value={control.askReason}
          onChange={({ currentTarget }) => change({ askReason: currentTarget.checked })}
        />
      </Field>
    </>
  );
}

function lineOf({ value, label }: Choice): string {
  return label ? `${value} = ${label}` : value;
}

function choicesIn(text: string): Choice[] {
  return text
    .split('\n')
    .map((line) => {
      const [value = '', ...label] = line.split('=');
      return { value: value.trim(), label: label.join('=').trim() };
    })
    .filter(({ value }) => value !== '');
}
