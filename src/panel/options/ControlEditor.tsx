import { Combobox, Field, Input, RadioButtonGroup, Switch, TextArea } from '@grafana/ui';
import { BindingEditor } from './BindingEditor.tsx';
import { type ButtonColour, buttonColours, type Choice, type ControlKind, type ControlOptions, controlKinds } from './options.ts';
import { ParametersEditor } from './ParametersEditor.tsx';

const kindWords: Record<ControlKind, { label: string; description: string }> = {
  button: { label: 'Button', description: 'Sends one value, or runs a command' },
  press: { label: 'Momentary press', description: 'A push button; may be held' },
  toggle: { label: 'Toggle', description: 'On and off' },
  slider: { label: 'Slider', description: 'A number in a range' },
  number: { label: 'Number', description: 'A number that is typed' },
  choice: { label: 'Choice', description: 'One of several values' },
  text: { label: 'Text', description: 'A text that is typed' },
};

interface Props {
  control: ControlOptions;
  onChange(control: ControlOptions): void;
}

export function ControlEditor({ control, onChange }: Props) {
  const change = (part: Partial<ControlOptions>) => onChange({ ...control, ...part });
  const text = (name: 'title' | 'label' | 'value' | 'release' | 'on' | 'off' | 'question', label: string, description: string) => (
    <Field label={label} description={description}>
      <Input value={control[name]} onChange={({ currentTarget }) => change({ [name]: currentTarget.value })} />
    </Field>
  );
  const { kind, target } = control;
  const button = kind === 'button' || kind === 'press' || target === 'command';
  return (
    <>
      <Field label="Kind">
        <Combobox
          aria-label="Kind"
          options={controlKinds.map((value) => ({ value, ...kindWords[value] }))}
          value={kind}
          onChange={({ value }) => change({ kind: value })}
        />
      </Field>
      <BindingEditor control={control} onChange={change} />
      {text('title', 'Title', 'Empty: that of the point or command')}
      {button && text('label', 'Words on the button', 'Empty: what it does')}
      {button && (
        <Field label="Colour">
          <Combobox
            aria-label="Colour"
            options={buttonColours.map((value) => ({ value, label: value }))}
            value={control.colour}
            onChange={({ value }) => change({ colour: value as ButtonColour })}
          />
        </Field>
      )}
      {target === 'point' &&
        (kind === 'button' || kind === 'press') &&
        text('value', 'Value', 'What is sent: 55.5, true, or a name. Empty: true')}
      {target === 'point' &&
        kind === 'press' &&
        text('release', 'Value when it is let go', 'Empty: nothing. Held buttons are not asked about')}
      {kind === 'toggle' && text('off', 'Value of off', 'Empty: the first name of the point, else false')}
      {kind === 'toggle' && text('on', 'Value of on', 'Empty: the last name of the point, else true')}
      {kind === 'choice' && (
        <Field label="Choices" description="One a line: a value, or value = words. Empty: the names of the point">
          <TextArea
            key={control.id}
            rows={4}
            defaultValue={control.choices.map(lineOf).join('\n')}
            onBlur={({ currentTarget }) => change({ choices: choicesIn(currentTarget.value) })}
          />
        </Field>
      )}
      {kind === 'slider' && (
        <Field label="Send">
          <RadioButtonGroup
            options={[
              { value: 'release' as const, label: 'when let go' },
              { value: 'button' as const, label: 'with a button' },
            ]}
            value={control.send}
            onChange={(send) => change({ send })}
          />
        </Field>
      )}
      {target === 'command' && <ParametersEditor key={`${control.device} ${control.name}`} control={control} onChange={change} />}
      <Field label="Ask first" description="Points and commands whose settings say confirm are always asked about">
        <Switch label="Ask first" value={control.confirm} onChange={({ currentTarget }) => change({ confirm: currentTarget.checked })} />
      </Field>
      {text('question', 'The question', 'Empty: what is to be done')}
      <Field label="Ask why" description="For the record of commands">
        <Switch label="Ask why" value={control.askReason} onChange={({ currentTarget }) => change({ askReason: currentTarget.checked })} />
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
