/** Topics as people write them: literal text, `{placeholder}` for discovered devices, `{{` and `}}` for braces (DESIGN §5). */
import { limits } from '../../src/contract/limits.ts';
import { type Part, parsePlaceholders, placeholdersOf, spellLiteral, type Values } from '../../src/contract/placeholders.ts';

export interface Topic {
  /** The topic itself where there is no placeholder. */
  fixed: string | undefined;
  /** Names of the placeholders, in order. */
  placeholders: string[];
  parts: Part[];
}

/** Reads a topic; throws an Error that says what is wrong and what is allowed. */
export function parseTopic(text: string): Topic {
  const parts = parsePlaceholders(text);
  const placeholders = placeholdersOf(parts);
  const literal = parts.map((part) => ('literal' in part ? part.literal : 'x')).join('');
  const fault = topicFault(literal);
  if (fault) throw new Error(`${quote(text)} ${fault}`);
  return { fixed: placeholders.length > 0 ? undefined : literal, placeholders, parts };
}

/** The topic of one device, spelled as people write it; throws an Error if a text cannot stand in a topic. */
export function fillTopic(text: string, values: Values): string {
  const filled = parseTopic(text).parts.map((part) => spellLiteral('literal' in part ? part.literal : levelText(part.name, values)));
  const topic = filled.join('');
  parseTopic(topic);
  return topic;
}

function levelText(name: string, values: Values): string {
  const value = values[name] ?? '';
  if (value === '' || ['/', '+', '#', '\u0000'].some((one) => value.includes(one)))
    throw new Error(`{${name}} is ${quote(value)}, which cannot stand in a topic; allowed is text without / + # and NUL`);
  return value;
}

/** A topic with placeholders as what is subscribed to and what a topic of it says. */
export interface TopicPattern {
  /** `home/+/+/climate`: a level with a placeholder is any. */
  readonly filter: string;
  /** What stands in the places of the placeholders; undefined if the topic is not of this pattern. */
  match(levels: readonly string[]): Values | undefined;
}

type Level = { literal: string } | { before: string; name: string; after: string };

/** Throws an Error if it is not clear which text belongs to which placeholder. */
export function compilePattern({ parts }: Topic): TopicPattern {
  const levels = levelsOf(parts);
  return {
    filter: levels.map((level) => ('name' in level ? '+' : level.literal)).join('/'),
    match(given) {
      if (given.length !== levels.length) return undefined;
      const values: Record<string, string> = {};
      for (const [index, level] of levels.entries()) {
        const text = given[index] ?? '';
        if ('literal' in level) {
          if (text !== level.literal) return undefined;
          continue;
        }
        const { before, name, after } = level;
        // An empty text is no name of anything.
        if (text.length <= before.length + after.length || !text.startsWith(before) || !text.endsWith(after)) return undefined;
        const value = text.slice(before.length, text.length - after.length);
        if (Object.hasOwn(values, name) && values[name] !== value) return undefined;
        values[name] = value;
      }
      return values;
    },
  };
}

function levelsOf(parts: readonly Part[]): Level[] {
  const levels: Level[] = [{ literal: '' }];
  for (const part of parts) {
    const last = levels[levels.length - 1] ?? { literal: '' };
    if ('name' in part) {
      if ('name' in last)
        throw new Error(`has {${last.name}} and {${part.name}} in one level; allowed is one placeholder between two slashes`);
      levels[levels.length - 1] = { before: last.literal, name: part.name, after: '' };
      continue;
    }
    const [first = '', ...rest] = part.literal.split('/');
    levels[levels.length - 1] = 'name' in last ? { ...last, after: last.after + first } : { literal: last.literal + first };
    levels.push(...rest.map((literal) => ({ literal })));
  }
  return levels;
}

/** What keeps a text from being the name of one topic (MQTT 5 §4.7.3, §1.5.4); undefined if nothing does. */
function topicFault(topic: string): string | undefined {
  if (topic === '') return 'is empty; allowed is at least one character';
  if (/[+#]/.test(topic)) return 'has a wildcard; allowed is one fixed topic without + and #';
  if (topic.includes('\u0000') || !topic.isWellFormed()) return 'has a character MQTT forbids (NUL or half a surrogate pair)';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\u0001-\u001f\u007f-\u009f]/.test(topic)) return 'has a control character; brokers may close the connection on it (MQTT 5 §1.5.4)';
  if (topic.startsWith('$share/')) return 'is a shared subscription; allowed is the topic itself';
  if (Buffer.byteLength(topic) > limits.topicLengthMax) return `is longer than ${limits.topicLengthMax} bytes`;
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
