import { cx } from '@emotion/css';
import { useEffect, useRef } from 'react';
import { texts } from '../view/texts.ts';
import { sentValue } from '../view/values.ts';
import type { ControlProps } from './control.ts';
import { Push } from './Push.tsx';

/**
 * A push button. With a value for its release it is held: one command when it goes down, the other when it comes up, is left, or nobody can see it any
 * more. Without one it is sent when it is clicked.
 */
export function PressControl(props: ControlProps) {
  const { control, title, point, disabled, send, hold, titleId, reasonId, styles } = props;
  const down = useRef(false);
  const value = sentValue(control.value || 'true', point);
  const holds = hold !== undefined && control.release.trim() !== '';
  const end = useRef(() => {});
  end.current = () => {
    if (!down.current) return;
    down.current = false;
    hold?.end(sentValue(control.release, point));
  };
  useEffect(() => {
    const letGo = () => end.current();
    window.addEventListener('blur', letGo);
    document.addEventListener('visibilitychange', letGo);
    return () => {
      window.removeEventListener('blur', letGo);
      document.removeEventListener('visibilitychange', letGo);
      letGo();
    };
  }, []);

  function begin(): void {
    if (disabled || down.current || !hold) return;
    down.current = true;
    hold.begin(value);
  }

  const held = {
    onPointerDown: (event: React.PointerEvent<HTMLButtonElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      begin();
    },
    onPointerUp: () => end.current(),
    onPointerCancel: () => end.current(),
    onLostPointerCapture: () => end.current(),
    onContextMenu: (event: React.MouseEvent) => event.preventDefault(),
    onKeyDown: (event: React.KeyboardEvent) => {
      if ((event.key === ' ' || event.key === 'Enter') && !event.repeat) begin();
    },
    onKeyUp: () => end.current(),
    onBlur: () => end.current(),
  };
  return (
    <div className={styles.row}>
      <Push
        styles={styles}
        className={cx(styles.wide, styles.press)}
        colour={control.colour}
        disabled={disabled}
        aria-describedby={`${titleId} ${reasonId}`}
        {...(holds ? held : { onClick: () => send(value) })}
      >
        {control.label || (holds ? texts.hold(title) : texts.press(title))}
      </Push>
    </div>
  );
}
