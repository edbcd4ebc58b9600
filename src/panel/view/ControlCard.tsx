/** One control with everything that is said about it: what the device reports, what became of commands, and why it cannot be used. */
import { Icon } from '@grafana/ui';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { limitsPanel } from '../../contract/limits-panel.ts';
import { ButtonControl } from '../controls/ButtonControl.tsx';
import { ChoiceControl } from '../controls/ChoiceControl.tsx';
import type { ControlProps } from '../controls/control.ts';
import { EntryControl } from '../controls/EntryControl.tsx';
import { ParameterFields } from '../controls/ParameterFields.tsx';
import { PressControl } from '../controls/PressControl.tsx';
import { Push } from '../controls/Push.tsx';
import { SliderControl } from '../controls/SliderControl.tsx';
import { ToggleControl } from '../controls/ToggleControl.tsx';
import type { ControlKind, ControlOptions } from '../options/options.ts';
import type { Scalar } from '../source/answers.ts';
import { isBusy } from '../source/sender.ts';
import { type Binding, find, standingOf } from './binding.ts';
import { Confirmation } from './Confirmation.tsx';
import { type Look, shownAs } from './fields.ts';
import { told } from './parameters.ts';
import type { Styles } from './styles.ts';
import { texts } from './texts.ts';
import { useDevice } from './use-device.ts';
import { useLastCommand } from './use-last-command.ts';
import { useParameters } from './use-parameters.ts';
import { useSender } from './use-sender.ts';
import { nameOf, type Sent } from './values.ts';
import { ageOf, blockOf, commandSaid, lastSaid, progressOf, qualityOf, type Said, spanOf } from './words.ts';

const kinds: Record<ControlKind, (props: ControlProps) => React.ReactNode> = {
  button: ButtonControl,
  press: PressControl,
  toggle: ToggleControl,
  slider: SliderControl,
  number: EntryControl,
  choice: ChoiceControl,
  text: EntryControl,
};

interface Props {
  control: ControlOptions;
  binding: Binding;
  look: Look;
  styles: Styles;
  nowMs: number;
  showAge: boolean;
  showPerson: boolean;
}

export function ControlCard({ control, binding, look, styles, nowMs, showAge, showPerson }: Props) {
  const { source, device, name, target } = binding;
  const [titleId, reasonId] = [useId(), useId()];
  const { view, watch } = useDevice(source, device);
  const { readings, access, fault } = view;
  const insider = access !== undefined && access.user.role !== 'Viewer' && access.user.role !== 'None';
  const reading = target === 'point' ? readings.get(name) : undefined;
  const { last, look: lookAgain } = useLastCommand(binding, insider && showPerson, reading?.value);
  const { sender, progress } = useSender(binding, {
    mayRead: () => insider,
    changed() {
      watch.refresh();
      lookAgain();
    },
  });
  const [asking, setAsking] = useState<{ value: Sent | undefined }>();
  const found = view.device && find(view.device, binding);
  const title = look.replaceVariables(control.title) || found?.title || name;
  const shown = useMemo(() => shownAs(title, { device, point: name }, found?.point, look), [title, device, name, found?.point, look]);
  const show = (value: Scalar) => shown.show(value, nameOf(value, found?.point)).text;

  const standing = standingOf(access, binding);
  const block = faultOf() ?? blockOf(standing, nowMs);
  useEndOf(block?.untilMs, () => watch.refresh());
  const busy = isBusy(progress);
  const wished = busy && progress.at !== 'idle' ? progress.order.wish.value : undefined;
  const done = useDone(
    progress.at === 'ended' && (progress.command.state === 'verified' || progress.command.state === 'acknowledged')
      ? progress.command.id
      : '',
  );
  const given = useParameters(target === 'command' ? look.replaceVariables(control.parameters) : '', found?.parameters ?? nothing);
  const said = saidOf();
  const state = useInSight(stateOf(progress));
  const quality = reading && qualityOf(reading);
  const value = reading && shown.show(reading.value, reading.text ?? nameOf(reading.value, found?.point));
  const Kind = kinds[target === 'command' ? 'button' : control.kind];
  const asks = control.confirm || control.askReason || (found?.confirmed ?? false);

  return (
    <section className={styles.card} aria-labelledby={titleId} data-testid={`control ${control.id}`}>
      <div className={styles.head}>
        <h3 id={titleId} className={styles.title}>
          {title}
        </h3>
        {reading && showAge && (
          <span className={styles.age} title={new Date(reading.timeMs).toLocaleString()}>
            {ageOf(reading.timeMs, nowMs)}
          </span>
        )}
      </div>
      {target === 'point' && (found?.point ? found.point.access !== 'write' : !view.device) && (
        <p className={styles.reading} data-testid="reading" style={value?.colour ? { color: value.colour } : undefined}>
          {value ? value.text : '–'}
        </p>
      )}
      {quality && <Line said={quality} styles={styles} />}
      {found && <ParameterFields {...given} disabled={block !== undefined || busy} styles={styles} />}
      {found && (
        <Kind
          {...{ control: replaced(control, look), title, point: found.point, reading, shown, titleId, reasonId, styles, done }}
          disabled={block !== undefined || busy || given.fault !== undefined}
          wish={wished}
          send={press}
          {...(asks
            ? {}
            : {
                hold: {
                  begin: (held: Sent) => sender.send({ ...wishOf(held), held: true }),
                  end: (let_: Sent) => sender.sendAfter(wishOf(let_)),
                },
              })}
        />
      )}
      <p id={reasonId} className={styles.small} data-testid="reason" hidden={!block && !given.fault}>
        {block && <Icon name="lock" size="sm" />} {block?.text ?? given.fault}
      </p>
      <div ref={state} role="status" aria-live="polite" data-testid="state" data-state={stateOf(progress)}>
        {said && <Line said={said} styles={styles} />}
      </div>
      {progress.at === 'running' && progress.command.state === 'queued' && insider && (
        <Push styles={styles} colour="secondary" onClick={() => void sender.cancel()}>
          {texts.takeOut}
        </Push>
      )}
      {progress.at === 'lost' && (
        <Push styles={styles} colour="secondary" onClick={() => sender.again()}>
          {texts.askAgain}
        </Push>
      )}
      {last && !busy && (
        <p className={styles.small} data-testid="last">
          {lastSaid(last, title, show, nowMs)}
        </p>
      )}
      {asking && (
        <Confirmation
          title={title}
          question={look.replaceVariables(control.question) || questionOf(asking.value)}
          reading={nowReads()}
          confirm={control.label || texts.yes}
          askReason={control.askReason}
          styles={styles}
          onAnswer={(yes, reason) => {
            setAsking(undefined);
            if (yes) sender.send({ ...wishOf(asking.value), ...(reason ? { reason } : {}) });
          }}
        />
      )}
      {progress.at === 'asked' && (
        <Confirmation
          title={title}
          question={look.replaceVariables(control.question) || questionOf(progress.order.wish.value)}
          reading={
            progress.question.reading === null
              ? nowReads()
              : texts.readsNow(device, name, show(progress.question.reading), spanOf(progress.question.expires - nowMs))
          }
          confirm={control.label || texts.yes}
          askReason={control.askReason}
          styles={styles}
          onAnswer={(yes, reason) => sender.answer(yes, reason)}
        />
      )}
    </section>
  );

  function press(value: Sent | undefined): void {
    if (block || sender.busy) return;
    // What the settings want confirmed is asked by the backend, with its own reading.
    if ((control.confirm || control.askReason) && !found?.confirmed) setAsking({ value });
    else sender.send(wishOf(value));
  }

  function wishOf(value: Sent | undefined) {
    return target === 'point'
      ? { device, name, target, ...(value === undefined ? {} : { value }) }
      : { device, name, target, parameters: given.parameters };
  }

  function questionOf(value: Sent | undefined): string {
    if (target === 'point') return texts.mayISet(title, device, show(value ?? null));
    const along = told(found?.parameters ?? nothing, given.parameters);
    return texts.mayIRun(title, device, along);
  }

  function nowReads(): string {
    return value ? texts.reads(value.text, ageOf(reading.timeMs, nowMs)) : '';
  }

  function faultOf(): { text: string; untilMs?: number } | undefined {
    if (fault) return { text: fault };
    if (!view.device || !access) return { text: texts.asking };
    if (!found) return { text: texts.missing(device, target, name) };
    if (target === 'point' && found.point?.access === 'read') return { text: texts.readOnly(device, name) };
    if (!standing) return { text: access.why ?? texts.notCommanded(device, name) };
    return undefined;
  }

  /** One's own command first; else one of somebody else that runs now. */
  function saidOf(): Said | undefined {
    const own = progressOf(progress, title, show);
    if (own || !last || last.times.ended !== undefined) return own;
    const other = commandSaid(last, title, show);
    return { ...other, text: `${last.user.name || last.user.login}: ${other.text}` };
  }
}

const nothing: readonly never[] = [];

function Line({ said: { text, tone }, styles }: { said: Said; styles: Styles }) {
  const icon = {
    plain: undefined,
    busy: 'sync',
    good: 'check-circle',
    warning: 'exclamation-triangle',
    bad: 'exclamation-circle',
  } as const;
  const name = icon[tone];
  return (
    <p className={`${styles.said} ${styles.tone[tone]}`}>
      {name && <Icon name={name} size="sm" />} {text}
    </p>
  );
}

/** For tests and for whoever styles the panel: the state of the command. */
function stateOf(progress: ReturnType<typeof useSender>['progress']): string {
  return 'command' in progress ? progress.command.state : progress.at;
}

/** The texts of a control with the variables of the dashboard in them. */
function replaced(control: ControlOptions, { replaceVariables }: Look): ControlOptions {
  const { label, value, release, on, off, choices } = control;
  const [a, b, c, d, e] = [label, value, release, on, off].map((text) => replaceVariables(text));
  return {
    ...control,
    label: a ?? '',
    value: b ?? '',
    release: c ?? '',
    on: d ?? '',
    off: e ?? '',
    choices: choices.map((one) => ({ value: replaceVariables(one.value), label: replaceVariables(one.label) })),
  };
}

/** Looks again when an obstacle has ended by its own time. */
function useEndOf(untilMs: number | undefined, look: () => void): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    if (untilMs === undefined) return;
    const timer = setTimeout(() => latest.current(), Math.min(Math.max(0, untilMs - Date.now()) + limitsPanel.untilGraceMs, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  }, [untilMs]);
}

/** What became of one's own command is seen also where the panel is too low for it (a phone, a command with many parameters). */
function useInSight(state: string): React.RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state !== 'idle') place.current?.scrollIntoView({ block: 'nearest' });
  }, [state]);
  return place;
}

/** Rises with each command that ended well. */
function useDone(id: string): number {
  const [done, setDone] = useState(0);
  useEffect(() => {
    if (id !== '') setDone((before) => before + 1);
  }, [id]);
  return done;
}
