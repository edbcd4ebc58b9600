import { dateTimeFormatTimeAgo, formattedValueToString, getValueFormat } from '@grafana/data';
import { Badge, Tooltip } from '@grafana/ui';
import { faultsWithin, useForm } from './form/context.ts';
import { Note } from './Note.tsx';
import type { ConnectionState, DeviceState, PointState } from './resources.ts';
import { texts } from './texts.ts';

type Colour = 'green' | 'red' | 'orange' | 'blue' | 'darkgrey';
const looks: Record<string, [string, Colour]> = {
  up: ['Up', 'green'],
  online: ['Online', 'green'],
  connecting: ['Connecting', 'blue'],
  unknown: ['Not heard yet', 'blue'],
  down: ['Down', 'red'],
  offline: ['Offline', 'red'],
  stopped: ['Stopped', 'darkgrey'],
};

/** Whether it runs and is there, since when, and why not. */
export function StateMark({ state }: { state: ConnectionState | DeviceState | undefined }) {
  if (!state) return <Badge text={texts.saveToRun} color="darkgrey" />;
  const [text, color] = looks[state.state] ?? [state.state, 'darkgrey'];
  const since = state.since === undefined ? '' : `since ${dateTimeFormatTimeAgo(state.since)}`;
  const words = [state.error, since].filter(Boolean).join('; ');
  const badge = <Badge text={text} color={color} />;
  return words === '' ? badge : <Tooltip content={words}>{<span>{badge}</span>}</Tooltip>;
}

/** How many errors and warnings lie within. */
export function FaultMark({ place }: { place: string }) {
  const { faults } = useForm();
  const within = faultsWithin(faults, place);
  const errors = within.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) return <Badge text={errors === 1 ? '1 error' : `${errors} errors`} color="red" icon="exclamation-circle" />;
  return within.length === 0 ? null : (
    <Badge text={within.length === 1 ? '1 warning' : `${within.length} warnings`} color="orange" icon="exclamation-triangle" />
  );
}

/** The last value of a point as people read it: the name of its state, or the number with its unit. */
export function valueText({ last, unit, precision }: PointState): string {
  if (!last) return '–';
  const { value, text, reason } = last;
  if (value === null || value === undefined) return reason === '' ? '–' : reason;
  if (text !== undefined && text !== '') return text;
  if (typeof value !== 'number') return String(value);
  return formattedValueToString(getValueFormat(unit ?? 'none')(value, precision ?? (Number.isInteger(value) ? 0 : undefined)));
}

export function LastValue({ point }: { point: PointState | undefined }) {
  if (!point) return null;
  const { last } = point;
  const isGood = last?.quality === 'good';
  const when = last
    ? `${isGood ? '' : `${last.quality}${last.reason ? `: ${last.reason}` : ''}, `}${dateTimeFormatTimeAgo(last.time)}`
    : 'nothing was read yet';
  return (
    <Tooltip content={when}>
      <span>
        <Note inline large color={isGood ? 'primary' : last ? 'warning' : 'secondary'}>
          {valueText(point)}
        </Note>
      </span>
    </Tooltip>
  );
}
