/**
 * Stored options → options of today. Besides older versions it takes what people write by hand into a dashboard's JSON: only what differs from the
 * defaults, `point` or `command` instead of `target` and `name`, numbers and booleans instead of texts.
 */
import type { PanelModel } from '@grafana/data';
import { limitsPanel } from '../../contract/limits-panel.ts';
import {
  buttonColours,
  type Choice,
  type ControlOptions,
  controlDefaults,
  controlKinds,
  optionsVersion,
  type PanelOptions,
  panelDefaults,
} from './options.ts';

type Stored = Record<string, unknown>;

export function migrateOptions({ options }: Pick<PanelModel, 'options'>): PanelOptions {
  return readOptions(options);
}

/** True for options that the handler has to see whatever version of the plugin wrote them: text in a dashboard's JSON bears none. */
export function needsMigration({ options }: Pick<PanelModel, 'options'>): boolean {
  return (options as Stored | undefined)?.version !== optionsVersion;
}

/** Never throws: what is not understood becomes the default. A newer version keeps its number, so that the panel can say so. */
export function readOptions(stored: unknown): PanelOptions {
  const { version, controls, columns, showAge, showPerson } = objectOf(stored);
  const listed = Array.isArray(controls) ? controls.slice(0, limitsPanel.controlsMax) : [];
  const taken = new Set<string>();
  return {
    version: typeof version === 'number' && version > optionsVersion ? version : optionsVersion,
    controls: listed.map((control, place) => readControl(objectOf(control), place, taken)),
    columns: typeof columns === 'number' && Number.isInteger(columns) && columns >= 0 && columns <= 12 ? columns : panelDefaults.columns,
    showAge: typeof showAge === 'boolean' ? showAge : panelDefaults.showAge,
    showPerson: typeof showPerson === 'boolean' ? showPerson : panelDefaults.showPerson,
  };
}

/** Today's value: a dashboard's JSON may name it, and a copied control must not keep the id of its original. */
function readControl(stored: Stored, place: number, taken: Set<string>): ControlOptions {
  const text = (name: keyof ControlOptions & string) =>
    textOf(stored[name]) ?? (controlDefaults as unknown as Record<string, string>)[name] ?? '';
  const command = textOf(stored.command);
  const point = textOf(stored.point);
  let id = textOf(stored.id) ?? '';
  for (let n = place + 1; id === '' || taken.has(id); n += 1) id = String(n);
  taken.add(id);
  return {
    id,
    kind: oneOf(controlKinds, stored.kind) ?? controlDefaults.kind,
    title: text('title'),
    source: text('source'),
    device: text('device'),
    target: oneOf(['point', 'command'] as const, stored.target) ?? (command === undefined ? 'point' : 'command'),
    name: textOf(stored.name) ?? command ?? point ?? '',
    label: text('label'),
    colour: oneOf(buttonColours, stored.colour) ?? controlDefaults.colour,
    value: text('value'),
    release: text('release'),
    on: text('on'),
    off: text('off'),
    choices: Array.isArray(stored.choices) ? stored.choices.map(readChoice) : [],
    send: oneOf(['release', 'button'] as const, stored.send) ?? controlDefaults.send,
    parameters:
      typeof stored.parameters === 'object' && stored.parameters !== null ? JSON.stringify(stored.parameters) : text('parameters'),
    confirm: stored.confirm === true,
    question: text('question'),
    askReason: stored.askReason === true,
  };
}

/** `{ value, label }`, or a value alone. */
function readChoice(stored: unknown): Choice {
  const alone = textOf(stored);
  if (alone !== undefined) return { value: alone, label: '' };
  const { value, label } = objectOf(stored);
  return { value: textOf(value) ?? '', label: textOf(label) ?? '' };
}

function objectOf(stored: unknown): Stored {
  return typeof stored === 'object' && stored !== null && !Array.isArray(stored) ? (stored as Stored) : {};
}

function textOf(stored: unknown): string | undefined {
  if (typeof stored === 'number' || typeof stored === 'boolean') return String(stored);
  return typeof stored === 'string' ? stored.slice(0, limitsPanel.textMax) : undefined;
}

function oneOf<T extends string>(allowed: readonly T[], stored: unknown): T | undefined {
  return allowed.find((one) => one === stored);
}
