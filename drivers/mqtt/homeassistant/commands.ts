/** Templates of commands: a text with what is set in it, perhaps calculated with, perhaps as another word. */
import { notUnderstood, parseCommand } from './jinja.ts';
import { type Meaning, meaningOf } from './meaning.ts';

export interface CommandTemplate {
  /** In our own words, with `{value}` in it. */
  payload: string;
  /** What is done to the value before it is sent. */
  scale: number;
  offset: number;
  words?: Extract<Meaning, { kind: 'words' }>;
}

/** Throws an Error if it is not understood, or has no value in it. */
export function readCommand(template: string): CommandTemplate {
  let first: string | undefined;
  let made: Omit<CommandTemplate, 'payload'> | undefined;
  const payload = parseCommand(template).map((part) => {
    if (typeof part === 'string') return spelt(part);
    const meaning = meaningOf(part);
    if (!meaning || meaning.kind === 'bounds' || meaning.place.path !== undefined) throw notUnderstood(template);
    const { scale, offset } = meaning.place;
    const words = meaning.kind === 'words' ? { words: meaning } : {};
    // All places are filled with the same.
    if (first !== undefined && JSON.stringify(part) !== first) throw notUnderstood(template);
    first = JSON.stringify(part);
    made = { scale, offset, ...words };
    return '{value}';
  });
  if (!made) throw new Error(`${JSON.stringify(template)} has no value in it`);
  return { payload: payload.join(''), ...made };
}

/** A literal brace is written twice in our templates. */
const spelt = (text: string) => text.replaceAll('{', '{{');
