/** What the panel itself says, and what it asks before it sends, in one place for whoever translates it. What becomes of commands is said in words.ts. */
export const texts = {
  empty: 'No controls yet: add one in the options of the panel, under “Controls”.',
  newerOptions: 'A newer version of this panel wrote these options; what this one does not know is left out.',
  unnamed: 'A control',
  why: 'Why',
  whyHint: 'For the record of commands',
  cancel: 'Cancel',
  yes: 'Yes, do it',
  takeOut: 'Cancel: take it out of the queue',
  askAgain: 'Ask again (the same command, it is not done twice)',
  set: 'Set',
  setTo: 'Set to',
  hold: (title: string) => `Hold: ${title}`,
  press: (title: string) => `Press: ${title}`,
  unsent: (value: string) => `${value}, not sent yet`,
  noChoices: 'This point has no named values; list the choices in the options of the panel.',

  noDevice: 'Not bound yet: choose a device in the options of the panel.',
  noName: (device: string | undefined) => `Not bound yet: choose a point or a command of ${device} in the options of the panel.`,
  noSource: 'There is no Fieldgate data source yet.',
  noSuchSource: (source: string) => `There is no Fieldgate data source ${JSON.stringify(source)}.`,
  noVariable: (name: string) => `The dashboard has no value for the variable ${name}.`,
  severalValues: (text: string) =>
    `${JSON.stringify(text)} is more than one: choose one value of the variable, or repeat the panel for each.`,
  badParameters: 'The parameters in the options of the panel are no JSON object: { "name": value }.',

  asking: 'Asking the data source …',
  cannotBeAsked: (why: string) => `The data source cannot be asked now: ${why}`,
  grafanaSays: (said: string, status: number) => `Grafana says: ${said || `status ${status}`}`,
  missing: (device: string, target: string, name: string) => `${device} has no ${target} ${JSON.stringify(name)}.`,
  readOnly: (device: string, name: string) => `${device}.${name} can only be read.`,
  notCommanded: (device: string, name: string) => `${device}.${name} cannot be commanded.`,

  mayISet: (title: string, device: string, value: string) => `Set ${title} of ${device} to ${value}?`,
  mayIRun: (title: string, device: string, along: string) => `Run “${title}” on ${device}${along ? ` with ${along}` : ''}?`,
  reads: (value: string, age: string) => `It reads ${value}, ${age}.`,
  readsNow: (device: string, name: string, value: string, left: string) =>
    `${device}.${name} reads ${value}. This question is good for ${left}.`,

  between: (min: number | string, max: number | string) => `${min} to ${max}`,
  from: (min: number | string) => `from ${min}`,
  upTo: (max: number | string) => `up to ${max}`,
  inSteps: (step: number) => `in steps of ${step}`,
  noNumber: (typed: string) => `${JSON.stringify(typed)} is no number.`,
  allowed: (range: string) => `Allowed is ${range}.`,
  /** After the name of a parameter. */
  isNeeded: 'is needed',
  isTooLong: (most: number) => `is longer than ${most} characters`,
  isNoNumber: (isWhole: boolean) => `is no ${isWhole ? 'whole ' : ''}number`,
  hasToBe: (range: string) => `has to be ${range}`,
};
