/** Topics as people write them: literal text, `{placeholder}` for discovered devices, `{{` for a brace (DESIGN §5). */
import { limits } from '../../src/contract/limits.ts';

export interface Topic {
  /** The topic itself where there is no placeholder. */
  fixed: string | undefined;
  /** Names of the placeholders, in order. */
  placeholders: string[];
}

const placeholderPattern = /\{\{|\{([^{}]*)\}|\{/g;
const placeholderName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Reads a topic; throws an Error that says what is wrong and what is allowed. */
export function parseTopic(text: string): Topic {
  const placeholders: string[] = [];
  const literal = text.replaceAll(placeholderPattern, (found: string, name: string | undefined) => {
    if (found === '{{') return '{';
    if (name === undefined) throw new Error(`${quote(text)} has a brace that is not closed; write {{ for a literal brace`);
    if (!placeholderName.test(name))
      throw new Error(`{${name}} is no placeholder; allowed in its name are A-Z a-z 0-9 _; write {{ for a literal brace`);
    placeholders.push(name);
    return '';
  });
  const fault = topicFault(literal === '' && placeholders.length > 0 ? 'x' : literal);
  if (fault) throw new Error(`${quote(text)} ${fault}`);
  return { fixed: placeholders.length > 0 ? undefined : literal, placeholders };
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
