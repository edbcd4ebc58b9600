/** What a dashboard keeps of the panel. Everything is text as a person typed it, so that variables may stand anywhere. */

export const controlKinds = ['button', 'press', 'toggle', 'slider', 'number', 'choice', 'text'] as const;
export type ControlKind = (typeof controlKinds)[number];

export const buttonColours = ['primary', 'secondary', 'success', 'destructive'] as const;
export type ButtonColour = (typeof buttonColours)[number];

export interface Choice {
  value: string;
  label: string;
}

export interface ControlOptions {
  /** Unique in the panel. */
  id: string;
  kind: ControlKind;
  /** Empty: the title of the point or command. */
  title: string;
  /** The uid of a data source. Empty: the panel's own, else the default one. */
  source: string;
  device: string;
  /** Whether `name` is a point or a named command. */
  target: 'point' | 'command';
  name: string;
  /** On the button; empty: what it does. */
  label: string;
  colour: ButtonColour;
  /** Button and press: what is sent to the point. */
  value: string;
  /** Press: what is sent when it is let go; empty: nothing. */
  release: string;
  /** Toggle; empty: from the point's enum, else true and false. */
  on: string;
  off: string;
  /** Choice; empty: the point's enum. */
  choices: Choice[];
  /** Slider: as soon as it is let go, or by a button. */
  send: 'release' | 'button';
  /** Of a named command: a JSON object. */
  parameters: string;
  /** Ask before anything is sent. Points and commands whose settings say `confirm` are always asked about. */
  confirm: boolean;
  /** The question; empty: what is to be done. */
  question: string;
  /** Ask why, for the record. */
  askReason: boolean;
}

export interface PanelOptions {
  version: number;
  controls: ControlOptions[];
  /** 0: as many as there is room for. */
  columns: number;
  showAge: boolean;
  /** Who sent the last command; only for those who may read the list of commands. */
  showPerson: boolean;
}

/** Of this form of the options; a dashboard with a higher one was made by a newer panel. */
export const optionsVersion = 1;

export const controlDefaults: Omit<ControlOptions, 'id'> = {
  kind: 'button',
  title: '',
  source: '',
  device: '',
  target: 'point',
  name: '',
  label: '',
  colour: 'primary',
  value: '',
  release: '',
  on: '',
  off: '',
  choices: [],
  send: 'release',
  parameters: '',
  confirm: false,
  question: '',
  askReason: false,
};

export const panelDefaults: Omit<PanelOptions, 'controls' | 'version'> = { columns: 0, showAge: true, showPerson: true };
