/** What people read in the options of the panel, in one place for whoever translates it; what it says at work is in view/words.ts. */
import type { ControlKind } from './options.ts';

export const kindWords: Record<ControlKind, { label: string; description: string }> = {
  button: { label: 'Button', description: 'Sends one value, or runs a command' },
  press: { label: 'Momentary press', description: 'A push button; may be held' },
  toggle: { label: 'Toggle', description: 'On and off' },
  slider: { label: 'Slider', description: 'A number in a range' },
  number: { label: 'Number', description: 'A number that is typed' },
  choice: { label: 'Choice', description: 'One of several values' },
  text: { label: 'Text', description: 'A text that is typed' },
};

/** Fields: what they are called, and what they mean in a few words. */
export const fields = {
  title: { label: 'Title', description: 'Empty: that of the point or command' },
  label: { label: 'Words on the button', description: 'Empty: what it does' },
  value: { label: 'Value', description: 'What is sent: 55.5, true, or a name. Empty: true' },
  release: { label: 'Value when it is let go', description: 'Empty: nothing. Held buttons are not asked about' },
  off: { label: 'Value of off', description: 'Empty: the first name of the point, else false' },
  on: { label: 'Value of on', description: 'Empty: the last name of the point, else true' },
  question: { label: 'The question', description: 'Empty: what is to be done' },
  choices: { label: 'Choices', description: 'One a line: a value, or value = words. Empty: the names of the point' },
  confirm: { label: 'Ask first', description: 'Points and commands whose settings say confirm are always asked about' },
  askReason: { label: 'Ask why', description: 'For the record of commands' },
  device: { label: 'Device', description: 'A variable may stand in it: $device' },
  parameters: {
    label: 'Parameters',
    description: 'A JSON object; variables may stand in it. What it does not give is asked for at the panel',
  },
} as const;

export const texts = {
  notForYou: 'not for you',
  kind: 'Kind',
  colour: 'Colour',
  send: 'Send',
  whenLetGo: 'when let go',
  withButton: 'with a button',
  dataSource: 'Data source',
  searchDevices: 'Search devices',
  pointOrCommand: 'Point or command',
  chooseDevice: 'Choose a device first',
  searchTargets: 'Search points and commands',
  askedAtPanel: 'Empty: asked for at the panel',
  parameter: (title: string) => `Parameter: ${title}`,
  add: 'Add a control',
  unnamed: (place: number) => `Control ${place}`,
  moveUp: (name: string) => `Move ${name} up`,
  moveDown: (name: string) => `Move ${name} down`,
  copy: (name: string) => `Copy ${name}`,
  remove: (name: string) => `Remove ${name}`,
};

/** The panel's own options: what they are called, where they stand, and what they mean. */
export const options = {
  controls: {
    name: 'Controls',
    description: 'What can be pressed, switched or set, each bound to a point or a command of a device',
    category: ['Controls'],
  },
  columns: {
    name: 'Columns',
    description: '0: as many as there is room for. On a narrow screen there is always one',
    category: ['Layout'],
  },
  showAge: { name: 'Age of readings', category: ['Layout'] },
  showPerson: {
    name: 'Last command',
    description: 'Who sent it and how it ended; only for those who may read the list of commands (Editors)',
    category: ['Layout'],
  },
};
