import { getTemplateSrv } from '@grafana/runtime';
import { Combobox, Field, Input, TextArea } from '@grafana/ui';
import { useEffect, useState } from 'react';
import type { DeviceAnswer, ParameterAnswer } from '../source/answers.ts';
import { ask, pathOf } from '../source/resources.ts';
import { sourceOf } from '../view/binding.ts';
import { choicesFor, givenIn, rangeOf, takenAs } from '../view/parameters.ts';
import type { ControlOptions } from './options.ts';
import { fields, texts } from './texts.ts';

interface Props {
  control: ControlOptions;
  onChange(change: Partial<ControlOptions>): void;
}

/** A field for each parameter that the command lists; where they are not known, or are no plain values, the JSON object itself. */
export function ParametersEditor({ control, onChange }: Props) {
  const listed = useListed(control);
  const given = givenIn(control.parameters);
  const plain =
    given && Object.entries(given).every(([name, value]) => typeof value !== 'object' && listed?.some((one) => one.name === name));
  if (!listed || !plain)
    return (
      <Field {...fields.parameters}>
        <TextArea rows={3} value={control.parameters} onChange={({ currentTarget }) => onChange({ parameters: currentTarget.value })} />
      </Field>
    );
  const set = (parameter: ParameterAnswer, text: string) => {
    const { [parameter.name]: _before, ...rest } = given;
    const all = text === '' ? rest : { ...rest, [parameter.name]: takenAs(parameter, text) };
    onChange({ parameters: Object.keys(all).length === 0 ? '' : JSON.stringify(all) });
  };
  return listed.map((parameter) => (
    <ParameterOption key={parameter.name} parameter={parameter} given={given[parameter.name]} onChange={(text) => set(parameter, text)} />
  ));
}

interface OptionProps {
  parameter: ParameterAnswer;
  given: unknown;
  onChange(text: string): void;
}

function ParameterOption({ parameter, given, onChange }: OptionProps) {
  const text = given === undefined ? '' : String(given);
  const [draft, setDraft] = useState(text);
  const title = parameter.title ?? parameter.name;
  const choices = choicesFor(parameter);
  const about = [texts.askedAtPanel, rangeOf(parameter)].filter((part) => part !== '').join('. ');
  return (
    <Field label={texts.parameter(title)} description={about}>
      {choices ? (
        <Combobox
          aria-label={title}
          options={choices}
          value={text === '' ? null : text}
          isClearable
          createCustomValue
          onChange={(chosen: { value: string } | null) => onChange(chosen?.value ?? '')}
        />
      ) : (
        // Taken when it is left, so that half a number is none yet.
        <Input value={draft} onChange={({ currentTarget }) => setDraft(currentTarget.value)} onBlur={() => onChange(draft)} />
      )}
    </Field>
  );
}

/** What the command of the control takes along; undefined as long as nobody knows. */
function useListed({ source, device, target, name }: ControlOptions): ParameterAnswer[] | undefined {
  const [found, setFound] = useState<{ of: string; listed: ParameterAnswer[] | undefined }>();
  const [uid, id, command] = [source, device, name].map((text) => getTemplateSrv().replace(text));
  const known = sourceOf(uid);
  const of = JSON.stringify([known, id, command]);
  useEffect(() => {
    if (target !== 'command' || known === undefined || !id || !command) return;
    const over = new AbortController();
    ask<DeviceAnswer>(known, 'GET', pathOf('devices', id), { signal: over.signal })
      .then(({ commands }) => setFound({ of, listed: commands.find((one) => one.id === command)?.parameters }))
      // Then the object itself is what can be edited.
      .catch(() => undefined);
    return () => over.abort(new Error('another command'));
  }, [of, target, known, id, command]);
  return found?.of === of ? found.listed : undefined;
}
