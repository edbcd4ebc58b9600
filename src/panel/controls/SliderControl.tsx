import { useEffect, useRef, useState } from 'react';
import { texts } from '../view/texts.ts';
import type { ControlProps } from './control.ts';
import { Push } from './Push.tsx';

const stepsOfRange = 100;

/**
 * Stands where the device says until somebody moves it. What is moved by a pointer goes when it is let go, unless a button is wanted; what is moved by
 * keys goes with Enter or the button, because every key would be a command of its own.
 */
export function SliderControl(props: ControlProps) {
  const { control, point, reading, shown, disabled, wish, send, titleId, reasonId, styles } = props;
  const [draft, setDraft] = useState<number>();
  const min = point?.write?.min ?? shown.config.min ?? 0;
  const max = Math.max(point?.write?.max ?? shown.config.max ?? min + stepsOfRange, min);
  const step = point?.write?.step ?? niceStep(min, max, point);
  const reported = reading && reading.quality !== 'bad' && reading.value !== null ? Number(reading.value) : Number.NaN;
  const wished = typeof wish === 'number' ? wish : undefined;
  const stands = draft ?? wished ?? (Number.isFinite(reported) ? reported : min);
  // Another obstacle came while it was being moved: it stands where the device says.
  useEffect(() => {
    if (disabled) setDraft(undefined);
  }, [disabled]);

  function commit(value = draft): void {
    if (disabled || value === undefined) return;
    setDraft(undefined);
    if (value !== reported) send(value);
  }

  const input = useRef<HTMLInputElement>(null);
  const pointed = useRef(false);
  const letGo = useRef(commit);
  letGo.current = commit;
  // The browser's own event of the end of a move: a pointer may be let go anywhere.
  useEffect(() => {
    const element = input.current;
    const moved = () => pointed.current && control.send === 'release' && letGo.current(element?.valueAsNumber);
    element?.addEventListener('change', moved);
    return () => element?.removeEventListener('change', moved);
  }, [control.send]);

  const text = (value: number) => shown.show(value).text;
  return (
    <div className={styles.row}>
      <div className={styles.slider}>
        <input
          ref={input}
          type="range"
          className={styles.range}
          min={min}
          max={max}
          step={step}
          value={Math.min(Math.max(stands, min), max)}
          disabled={disabled}
          aria-labelledby={titleId}
          aria-describedby={reasonId}
          aria-valuetext={draft === undefined ? text(stands) : texts.unsent(text(draft))}
          onChange={({ currentTarget }) => setDraft(currentTarget.valueAsNumber)}
          onPointerDown={() => {
            pointed.current = true;
          }}
          onKeyDown={(event) => {
            pointed.current = false;
            if (event.key === 'Enter') commit();
            if (event.key === 'Escape') setDraft(undefined);
          }}
        />
        <div className={styles.scale} aria-hidden>
          <span>{text(min)}</span>
          <span>{text(max)}</span>
        </div>
      </div>
      {draft !== undefined && (
        <Push styles={styles} className={styles.wide} onClick={() => commit()}>
          {`${control.label || texts.setTo} ${text(draft)}`}
        </Push>
      )}
    </div>
  );
}

/** A hundredth of the range, rounded down to 1, 2 or 5 and zeros; whole for a whole point. */
function niceStep(min: number, max: number, point: ControlProps['point']): number {
  if (point?.precision !== undefined) return 10 ** -point.precision;
  const raw = (max - min) / stepsOfRange || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return (raw / power >= 5 ? 5 : raw / power >= 2 ? 2 : 1) * power;
}
