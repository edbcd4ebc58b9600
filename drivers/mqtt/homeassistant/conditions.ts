/**
 * Conditional templates of the common kind → a place and the words there: `{{ 'ON' if value_json.s == 'up' else 'OFF' }}`, the same with iif(), and with
 * {% if %}. Nothing of them is run when a message comes.
 */
import { type Linear, readValueTemplate } from './templates.ts';

/** What stands for true at the place, or for false, and what the template makes of either. */
export interface Condition {
  place: Linear;
  words: { on?: Word; off?: Word };
  whenTrue: string;
  whenFalse: string;
}

type Word = string | number | boolean;

const lengthMax = 512;
const literal = String.raw`'[^'{}\\]*'|"[^"{}\\]*"|-?\d+(?:\.\d+)?|[Tt]rue|[Ff]alse`;
/** Each gives the condition, then what is made when it holds, then what else. */
const forms = [
  {
    pattern: new RegExp(`^\\s*\\{\\{-?\\s*(?<yes>${literal})\\s+if\\s+(?<asked>[^{}]+?)\\s+else\\s+(?<no>${literal})\\s*-?\\}\\}\\s*$`),
    isText: false,
  },
  {
    pattern: new RegExp(
      `^\\s*\\{\\{-?\\s*iif\\(\\s*(?<asked>[^{},]+?)\\s*,\\s*(?<yes>${literal})\\s*,\\s*(?<no>${literal})\\s*\\)\\s*-?\\}\\}\\s*$`,
    ),
    isText: false,
  },
  {
    pattern: /^\s*\{%-?\s*if\s+(?<asked>[^{}%]+?)\s*-?%\}(?<yes>[^{}%]*)\{%-?\s*else\s*-?%\}(?<no>[^{}%]*)\{%-?\s*endif\s*-?%\}\s*$/,
    isText: true,
  },
];
const comparison = new RegExp(`^(?<left>[^=!<>]+?)\\s*(?<sign>==|!=)\\s*(?<word>${literal})$`);

/** Undefined if it is no condition; throws an Error if it is one that asks for more than a word at a place. */
export function readCondition(template: string): Condition | undefined {
  if (template.length > lengthMax) return undefined;
  for (const { pattern, isText } of forms) {
    const { asked, yes, no } = pattern.exec(template)?.groups ?? {};
    if (asked === undefined || yes === undefined || no === undefined) continue;
    const made = (text: string) => (isText ? text.trim() : String(wordOf(text)));
    return { ...conditionOf(asked), whenTrue: made(yes), whenFalse: made(no) };
  }
  return undefined;
}

function conditionOf(asked: string): Pick<Condition, 'place' | 'words'> {
  const negated = /^not\s+(.+)$/.exec(asked)?.[1];
  const { left, sign, word } = comparison.exec(asked)?.groups ?? {};
  if (negated !== undefined && left !== undefined) throw notUnderstood(asked);
  const place = readValueTemplate(`{{ ${left ?? negated ?? asked} }}`);
  if (place.scale !== 1 || place.offset !== 0 || place.decimals !== undefined) throw notUnderstood(asked);
  if (word === undefined) return { place, words: negated === undefined ? { on: true, off: false } : { on: false, off: true } };
  // What is not the word is the other, whatever it is.
  return { place, words: sign === '==' ? { on: wordOf(word) } : { off: wordOf(word) } };
}

function wordOf(text: string): Word {
  if (/^['"]/.test(text)) return text.slice(1, -1);
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return Number(text);
}

const notUnderstood = (asked: string) =>
  new Error(`${JSON.stringify(asked)} is no condition that is understood; understood are a place, not a place, and == or != with a word`);
