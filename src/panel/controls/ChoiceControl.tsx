import { useState } from 'react';
import { texts } from '../view/texts.ts';
import { choicesOf, reports, sentValue } from '../view/values.ts';
import type { ControlProps } from './control.ts';
import { Push } from './Push.tsx';
import { SideBySide } from './SideBySide.tsx';

/** More than so many do not stand side by side. */
const besideMax = 6;

/** One of several values; the one that the device reports is marked. */
export function ChoiceControl(props: ControlProps) {
  const { control, point, reading, disabled, send, titleId, reasonId, styles } = props;
  const [drafted, setDrafted] = useState('');
  const choices = choicesOf(control, point).map((choice) => {
    const value = sentValue(choice.value, point);
    return { ...choice, sent: value, reported: reports(reading, value) };
  });
  if (choices.length === 0) return <p className={styles.small}>{texts.noChoices}</p>;
  if (choices.length <= besideMax) return <SideBySide {...props} choices={choices} />;
  const chosen = choices.find(({ value }) => value === drafted) ?? choices.find(({ reported }) => reported);
  const draft = chosen && !chosen.reported ? chosen : undefined;
  return (
    <div className={styles.row}>
      <select
        className={styles.field}
        aria-labelledby={titleId}
        aria-describedby={reasonId}
        disabled={disabled}
        value={chosen?.value ?? ''}
        onChange={({ currentTarget }) => setDrafted(currentTarget.value)}
      >
        {!chosen && <option value="">–</option>}
        {choices.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <Push
        styles={styles}
        disabled={disabled || !draft}
        onClick={() => {
          if (!draft) return;
          send(draft.sent);
          setDrafted('');
        }}
      >
        {control.label || texts.set}
      </Push>
    </div>
  );
}
