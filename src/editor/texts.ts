/** What people read in the parts that both editors share, in one place for whoever translates it. */
export const texts = {
  loading: 'Loading …',
  form: 'Form',
  builder: 'Builder',
  code: 'Code',
  notUsedYet: (fault: string) => `Not used yet: ${fault}`,
  noObject: 'allowed is a JSON object: { … }',
  inexact: (value: number, source: string) => `a browser makes ${value} of ${source}; write it as text: "${source}"`,
  asTrace: 'Requests as a trace',
};
