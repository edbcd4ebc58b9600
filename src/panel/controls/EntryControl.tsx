import { useEffect, useId, useState } from 'react';
import { limitsPanel } from '../../contract/limits-panel.ts';
import { texts } from '../view/texts.ts';
import { numberOf, type Sent, sentValue } from '../view/values.ts';
import type { ControlProps } from './control.ts';
import { Push } from './Push.tsx';

/** A number or a text that is typed. The field is for the wish; what the device says stands above it. */
export function EntryControl(props: ControlProps) {
  const { control, point, reading, shown, disabled, done, send, titleId, reasonId, styles } = props;
  const [draft, setDraft] = useState('');
  const faultId = useId();
  const number = control.kind === 'number';
  const fault = draft === '' ? undefined : number ? faultOf(draft, props) : undefined;
  // What was refused stays, so that it can be put right; what was done is over.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each rise of `done` is a command that ended well.
  useEffect(() => setDraft(''), [done]);

  function commit(): void {
    if (disabled || draft.trim() === '' || fault) return;
    const value: Sent = number
      ? sentValue(draft.trim().replace(',', '.'), point)
      : point?.type === 'string'
        ? draft
        : sentValue(draft, point);
    send(value);
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        commit();
      }}
    >
      <div className={styles.row}>
        <input
          className={styles.field}
          type="text"
          inputMode={number ? 'decimal' : 'text'}
          autoComplete="off"
          maxLength={limitsPanel.textMax}
          placeholder={reading && reading.value !== null ? shown.show(reading.value, reading.text).text : ''}
          aria-labelledby={titleId}
          aria-describedby={`${faultId} ${reasonId}`}
          aria-invalid={fault !== undefined}
          disabled={disabled}
          value={draft}
          onChange={({ currentTarget }) => setDraft(currentTarget.value)}
          onKeyDown={({ key }) => key === 'Escape' && setDraft('')}
        />
        <Push styles={styles} type="submit" disabled={disabled || draft.trim() === '' || fault !== undefined}>
          {control.label || texts.set}
        </Push>
      </div>
      <p id={faultId} className={styles.small}>
        {fault ?? (number ? rangeOf(props) : '')}
      </p>
    </form>
  );
}

function rangeOf({ point, shown }: Pick<ControlProps, 'point' | 'shown'>): string {
  const { min, max, step } = point?.write ?? {};
  const text = (value: number) => shown.show(value).text;
  const range =
    min !== undefined && max !== undefined
      ? texts.between(text(min), text(max))
      : min !== undefined
        ? texts.from(text(min))
        : max !== undefined
          ? texts.upTo(text(max))
          : '';
  return [range, step === undefined ? '' : texts.inSteps(step)].filter((part) => part !== '').join(', ');
}

/** What can be told before it is sent; the backend knows more. */
function faultOf(draft: string, { point, shown }: Pick<ControlProps, 'point' | 'shown'>): string | undefined {
  const number = numberOf(draft);
  if (number === undefined) return texts.noNumber(draft);
  const { min, max } = point?.write ?? {};
  if ((min !== undefined && number < min) || (max !== undefined && number > max)) return texts.allowed(rangeOf({ point, shown }));
  return undefined;
}
