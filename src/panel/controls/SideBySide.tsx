import type { Sent } from '../view/values.ts';
import type { ControlProps } from './control.ts';

interface Props extends Pick<ControlProps, 'disabled' | 'send' | 'titleId' | 'reasonId' | 'styles'> {
  /** `reported`: whether the device says this one now; absent where it says none of them. */
  choices: readonly { value: string; label: string; sent: Sent; reported?: boolean }[];
}

/** A button for each value; the one that the device reports is marked, and is not sent again. */
export function SideBySide({ choices, disabled, send, titleId, reasonId, styles }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: the card is the group of the form; this one has no legend of its own.
    <div className={styles.choices} role="group" aria-labelledby={titleId}>
      {choices.map(({ value, label, sent, reported }) => (
        <button
          key={value}
          type="button"
          className={styles.choice}
          aria-pressed={reported}
          aria-disabled={disabled}
          aria-describedby={reasonId}
          onClick={() => !disabled && !reported && send(sent)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
