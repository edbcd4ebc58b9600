import { Button } from '@grafana/ui';
import { sentValue } from '../view/values.ts';
import type { ControlProps } from './control.ts';

/** Sends one value, or runs a command, each time it is clicked. */
export function ButtonControl({ control, title, point, shown, disabled, send, titleId, reasonId, styles }: ControlProps) {
  const value = control.target === 'point' ? sentValue(control.value || 'true', point) : undefined;
  const label = control.label || (value === undefined ? title : `Set to ${shown.show(value, String(value)).text}`);
  return (
    <div className={styles.row}>
      <Button
        className={styles.button}
        size="lg"
        variant={control.colour}
        fill="solid"
        fullWidth
        aria-disabled={disabled}
        aria-describedby={`${titleId} ${reasonId}`}
        onClick={() => !disabled && send(value)}
      >
        {label}
      </Button>
    </div>
  );
}
