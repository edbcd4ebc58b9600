import { useId } from 'react';
import { limitsPanel } from '../../contract/limits-panel.ts';
import type { ParameterAnswer } from '../source/answers.ts';
import { choicesFor, faultOf, rangeOf } from '../view/parameters.ts';
import type { Styles } from '../view/styles.ts';
import type { ParametersInUse } from '../view/use-parameters.ts';

/** A field for each parameter that the person gives. */
export function ParameterFields({ open, typed, type, disabled, styles }: ParametersInUse & { disabled: boolean; styles: Styles }) {
  return open.map((parameter) => (
    <ParameterField
      key={parameter.name}
      {...{ parameter, disabled, styles }}
      text={typed[parameter.name] ?? ''}
      onChange={(text) => type(parameter.name, text)}
    />
  ));
}

interface Props {
  parameter: ParameterAnswer;
  text: string;
  disabled: boolean;
  styles: Styles;
  onChange(text: string): void;
}

function ParameterField({ parameter, text, disabled, styles, onChange }: Props) {
  const [id, hintId] = [useId(), useId()];
  const choices = choicesFor(parameter);
  const hint = rangeOf(parameter);
  const shared = {
    id,
    className: styles.field,
    disabled,
    value: text,
    'aria-describedby': hintId,
    // An empty field was not filled in yet, which is nothing wrong.
    'aria-invalid': text !== '' && faultOf(parameter, text) !== undefined,
  };
  return (
    <div>
      <label htmlFor={id} className={styles.small}>
        {parameter.title ?? parameter.name}
      </label>
      <div className={styles.row}>
        {choices ? (
          <select {...shared} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
            {parameter.default === undefined && <option value="">–</option>}
            {choices.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...shared}
            type="text"
            inputMode={parameter.type === 'text' ? 'text' : 'decimal'}
            autoComplete="off"
            maxLength={Math.min(limitsPanel.textMax, parameter.maxLength)}
            onChange={({ currentTarget }) => onChange(currentTarget.value)}
          />
        )}
      </div>
      <p id={hintId} className={styles.small}>
        {hint}
      </p>
    </div>
  );
}
