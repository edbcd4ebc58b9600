import { endsOf, reports, sentValue } from '../view/values.ts';
import type { ControlProps } from './control.ts';
import { SideBySide } from './SideBySide.tsx';

/** A switch that stands where the device says. Where the device says neither on nor off there is no switch to throw, but a button for each. */
export function ToggleControl(props: ControlProps) {
  const { control, point, reading, disabled, send, titleId, reasonId, styles } = props;
  const { on, off } = endsOf(control, point);
  const [onValue, offValue] = [sentValue(on.value, point), sentValue(off.value, point)];
  const [isOn, isOff] = [reports(reading, onValue), reports(reading, offValue)];
  if (isOn || isOff) {
    return (
      <div className={styles.row}>
        <button
          type="button"
          role="switch"
          className={styles.toggle}
          aria-checked={isOn}
          aria-disabled={disabled}
          aria-labelledby={titleId}
          aria-describedby={reasonId}
          onClick={() => !disabled && send(isOn ? offValue : onValue)}
        />
        <span className={styles.toggleText} aria-hidden>
          {isOn ? on.label : off.label}
        </span>
      </div>
    );
  }
  const choices = [
    { ...off, sent: offValue },
    { ...on, sent: onValue },
  ];
  return <SideBySide {...props} choices={choices} />;
}
