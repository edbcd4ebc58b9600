/** Topics as people write them: literal text, `{placeholder}` for discovered devices, `{{` and `}}` for braces (DESIGN §5), `+` and `#` where it is heard. */
import { limits } from '../../src/contract/limits.ts';
import { type Part, parsePlaceholders, placeholdersOf, spellLiteral, type Values } from '../../src/contract/placeholders.ts';

export interface Topic {
  /** The topic itself where there is no placeholder and no wildcard. */
  fixed: string | undefined;
  /** Names of the placeholders, in order. */
  placeholders: string[];
  parts: Part[];
}

/** Reads one topic; throws an Error that says what is wrong and what is allowed. */
export function parseTopic(text: string): Topic {
  return parse(text, topicFault);
}

/** Reads what is subscribed to: a topic, or one with `+` for any level and `#` for the rest. */
export function parseFilter(text: string): Topic {
  return parse(text, filterFault);
}

function parse(text: string, faultOf: (literal: string) => string | undefined): Topic {
  const parts = parsePlaceholders(text);
  const placeholders = placeholdersOf(parts);
  const literal = parts.map((part) => ('literal' in part ? part.literal : 'x')).join('');
  const fault = faultOf(literal);
  if (fault) throw new Error(`${quote(text)} ${fault}`);
  return { fixed: placeholders.length > 0 || /[+#]/.test(literal) ? undefined : literal, placeholders, parts };
}

/** The topic of one device, spelled as people write it; throws an Error if a text cannot stand in a topic. */
export function fillTopic(text: string, values: Values): string {
  const filled = parseTopic(text).parts.map((part) => spellLiteral('literal' in part ? part.literal : levelText(part.name, values)));
  const topic = filled.join('');
  parseFilter(topic);
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
  const all = levelsOf(parts);
  const last = all.at(-1);
  const endsOpen = last !== undefined && 'literal' in last && last.literal === '#';
  const levels = endsOpen ? all.slice(0, -1) : all;
  return {
    filter: all.map((level) => ('name' in level ? '+' : level.literal)).join('/'),
    match(given) {
      if (endsOpen ? given.length < levels.length : given.length !== levels.length) return undefined;
      const values: Record<string, string> = {};
      for (const [index, level] of levels.entries()) {
        const text = given[index] ?? '';
        if ('literal' in level) {
          if (text !== level.literal && level.literal !== '+') return undefined;
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

/** What keeps a text from being a filter (MQTT 5 §4.7.1): a wildcard stands for whole levels. */
function filterFault(filter: string): string | undefined {
  const levels = filter.split('/');
  const wrong = levels.find((level, index) => /[+#]/.test(level) && level !== '+' && (level !== '#' || index < levels.length - 1));
  if (wrong !== undefined)
    return 'has a wildcard inside a level, or a # that is not the last one; allowed is + for one level and # for the rest';
  // What a wildcard stands in is a topic like any other.
  return topicFault(levels.map((level) => (level === '+' || level === '#' ? 'x' : level)).join('/'));
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
