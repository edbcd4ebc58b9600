import { cx } from '@emotion/css';
import type { ButtonColour } from '../options/options.ts';
import type { Styles } from '../view/styles.ts';

interface Props extends React.ButtonHTMLAttributes<HTMLButtonElement> {
  colour?: ButtonColour;
  /** It stays within reach of the keyboard, so that whoever cannot see it comes by the reason. */
  disabled?: boolean;
  styles: Styles;
}

/**
 * A button that keeps its place and its focus while it is disabled. Grafana's own loses the focus then, or is made anew, in the middle of a press.
 */
export function Push({ colour = 'primary', disabled = false, styles, className, onClick, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      className={cx(styles.push, styles.colour[colour], className)}
      aria-disabled={disabled}
      onClick={(event) => {
        if (disabled) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}
