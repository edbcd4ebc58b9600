import { dateTimeFormatTimeAgo } from '@grafana/data';
import { Badge, Tooltip } from '@grafana/ui';
import { counted } from '../counted.ts';
import { Note } from '../Note.tsx';
import { lastText, type PointNow } from '../reading.ts';
import { faultsWithin, useForm } from './form/context.ts';
import type { ConnectionState, DeviceState } from './resources.ts';
import { stateTexts, texts } from './texts.ts';

type Colour = 'green' | 'red' | 'orange' | 'blue' | 'darkgrey';
const colours: Record<string, Colour> = {
  up: 'green',
  online: 'green',
  connecting: 'blue',
  unknown: 'blue',
  down: 'red',
  offline: 'red',
  stopped: 'darkgrey',
};

/** Whether it runs and is there, since when, and why not. */
export function StateMark({ state }: { state: ConnectionState | DeviceState | undefined }) {
  if (!state) return <Badge text={texts.saveToRun} color="darkgrey" />;
  const text = stateTexts[state.state] ?? state.state;
  const color = colours[state.state] ?? 'darkgrey';
  const since = state.since === undefined ? '' : texts.since(dateTimeFormatTimeAgo(state.since));
  const words = [state.error, since].filter(Boolean).join('; ');
  const badge = <Badge text={text} color={color} />;
  return words === '' ? badge : <Tooltip content={words}>{<span>{badge}</span>}</Tooltip>;
}

/** How many errors and warnings lie within. */
export function FaultMark({ place }: { place: string }) {
  const { faults } = useForm();
  const within = faultsWithin(faults, place);
  const errors = within.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) return <Badge text={counted(errors, 'error')} color="red" icon="exclamation-circle" />;
  return within.length === 0 ? null : <Badge text={counted(within.length, 'warning')} color="orange" icon="exclamation-triangle" />;
}

export function LastValue({ point }: { point: PointNow | undefined }) {
  if (!point) return null;
  const { last } = point;
  const isGood = last?.quality === 'good';
  const when = last
    ? `${isGood ? '' : `${last.quality}${last.reason ? `: ${last.reason}` : ''}, `}${dateTimeFormatTimeAgo(last.time)}`
    : texts.neverRead;
  return (
    <Tooltip content={when}>
      <span>
        <Note inline large color={isGood ? 'primary' : last ? 'warning' : 'secondary'}>
          {last?.value === null && last.reason !== '' ? last.reason : lastText(point)}
        </Note>
      </span>
    </Tooltip>
  );
}
