import { texts } from '../view/texts.ts';
import { nameOf, sentValue } from '../view/values.ts';
import type { ControlProps } from './control.ts';
import { Push } from './Push.tsx';

/** Sends one value, or runs a command, each time it is clicked. */
export function ButtonControl({ control, title, point, shown, disabled, send, titleId, reasonId, styles }: ControlProps) {
  const value = control.target === 'point' ? sentValue(control.value || 'true', point) : undefined;
  const label =
    control.label ||
    (value === undefined
      ? title
      : `${texts.setTo} ${shown.show(value, nameOf(value, point) ?? (typeof value === 'string' ? value : undefined)).text}`);
  return (
    <div className={styles.row}>
      <Push
        styles={styles}
        className={styles.wide}
        colour={control.colour}
        disabled={disabled}
        aria-describedby={`${titleId} ${reasonId}`}
        onClick={() => send(value)}
      >
        {label}
      </Push>
    </div>
  );
}
