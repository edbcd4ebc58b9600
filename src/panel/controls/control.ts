/** What every kind of control is given. */
import type { ControlOptions } from '../options/options.ts';
import type { PointAnswer } from '../source/answers.ts';
import type { Reading } from '../source/readings.ts';
import type { Shown } from '../view/fields.ts';
import type { Styles } from '../view/styles.ts';
import type { Sent } from '../view/values.ts';

export interface ControlProps {
  control: ControlOptions;
  title: string;
  point: PointAnswer | undefined;
  reading: Reading | undefined;
  shown: Shown;
  /** Nothing may be sent now: it may not, or a command is under way. */
  disabled: boolean;
  /** The value that a command under way is to set. */
  wish: Sent | undefined;
  /** The last command of this control ended as it should; rises with each. */
  done: number;
  /** Asks first where that is wanted. */
  send(value: Sent | undefined): void;
  /** Begins and ends what is held; absent where a question comes before. */
  hold?: { begin(value: Sent): void; end(value: Sent): void };
  /** Ids of the elements that name and describe the control. */
  titleId: string;
  reasonId: string;
  styles: Styles;
}
