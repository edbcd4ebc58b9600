/**
 * Conditional templates of the common kind → a place and the words there: `{{ 'ON' if value_json.s == 'up' else 'OFF' }}`, the same with iif(), and with
 * {% if %}. Nothing of them is run when a message comes.
 */
import { type Linear, readValueTemplate } from './templates.ts';

/** What stands for true at the place, or for false, and what the template makes of either. */
export interface Condition extends Asked {
  whenTrue: string;
  whenFalse: string;
}

interface Asked {
  place: Linear;
  /** What means true and false there, unless a number is compared. */
  words: { on?: Word; off?: Word };
  trueWhen?: TrueWhen;
}

type Word = string | number | boolean;
type TrueWhen = Partial<Record<'above' | 'atLeast' | 'below' | 'atMost', number>>;

const bounds = { '>': 'above', '>=': 'atLeast', '<': 'below', '<=': 'atMost' } as const;
/** The same comparison seen from the other side: of a value that was multiplied by a negative number. */
const mirrored = { above: 'below', atLeast: 'atMost', below: 'above', atMost: 'atLeast' } as const;
const opposites = { above: 'atMost', atMost: 'above', below: 'atLeast', atLeast: 'below' } as const;

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
/** What Python says of a condition that stands alone. */
const alone = /^\s*\{\{-?\s*(?<asked>[^{}]+?)\s*-?\}\}\s*$/;
const comparison = new RegExp(`^(?<left>.+?)\\s*(?<sign>==|!=|>=|<=|>|<)\\s*(?<word>${literal})$`);
const negation = /^not\s+(?<inner>.+)$/;
const brackets = /^\((?<inner>[^()]+)\)$/;

/** Undefined if it is no condition; throws an Error if it is one that asks for more than a word at a place. */
export function readCondition(template: string): Condition | undefined {
  if (template.length > lengthMax) return undefined;
  for (const { pattern, isText } of forms) {
    const { asked, yes, no } = pattern.exec(template)?.groups ?? {};
    if (asked === undefined || yes === undefined || no === undefined) continue;
    const made = (text: string) => (isText ? text.trim() : String(wordOf(text)));
    return { ...conditionOf(asked), whenTrue: made(yes), whenFalse: made(no) };
  }
  const { asked = '' } = alone.exec(template)?.groups ?? {};
  const isCondition = [comparison, negation].some((pattern) => pattern.test(asked));
  return isCondition ? { ...conditionOf(asked), whenTrue: 'True', whenFalse: 'False' } : undefined;
}

/** The same word: what is true in JSON is True in Python. */
export function areSame(one: string, other: string): boolean {
  return one === other || (/^(true|false)$/i.test(one) && one.toLowerCase() === other.toLowerCase());
}

/** What holds when the other does not. */
export function opposite<T extends Pick<Asked, 'words' | 'trueWhen'>>({ words: { on, off }, trueWhen, ...rest }: T) {
  const [[name, bound] = []] = Object.entries(trueWhen ?? {}) as [keyof TrueWhen, number][];
  return {
    ...rest,
    words: { ...(off === undefined ? {} : { on: off }), ...(on === undefined ? {} : { off: on }) },
    ...(name === undefined ? {} : { trueWhen: { [opposites[name]]: bound } as TrueWhen }),
  };
}

function conditionOf(asked: string): Asked {
  const negated = negation.exec(asked)?.groups?.inner;
  // It holds for all of a comparison behind it.
  if (negated !== undefined) return opposite(conditionOf(negated));
  const inner = brackets.exec(asked)?.groups?.inner;
  if (inner !== undefined) return conditionOf(inner.trim());
  const { left, sign, word } = comparison.exec(asked)?.groups ?? {};
  const given = readValueTemplate(`{{ ${left ?? asked} }}`);
  if (given.decimals !== undefined) throw notUnderstood(asked);
  const { scale } = given;
  const isPlain = scale === 1 && given.offset === 0;
  const place = { ...given, scale: 1, offset: 0 };
  if (word === undefined) {
    if (!isPlain) throw notUnderstood(asked);
    return { place, words: { on: true, off: false } };
  }
  const compared = isPlain ? wordOf(word) : solved(given, wordOf(word), asked);
  if (sign !== '==' && sign !== '!=') {
    if (typeof compared !== 'number') throw notUnderstood(asked);
    const name = bounds[sign as keyof typeof bounds];
    return { place: { ...place, isNumber: true }, words: {}, trueWhen: { [scale < 0 ? mirrored[name] : name]: compared } };
  }
  // What is not the word is the other, whatever it is.
  return { place, words: sign === '==' ? { on: compared } : { off: compared } };
}

/** The number at the place for which the arithmetic makes the other; an Error if it is none that can be written exactly. */
function solved({ scale, offset }: Linear, made: Word, asked: string): number {
  const number = typeof made === 'number' ? (made - offset) / scale : Number.NaN;
  if (number * scale + offset !== made) throw notUnderstood(asked);
  return number;
}

function wordOf(text: string): Word {
  if (/^['"]/.test(text)) return text.slice(1, -1);
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return Number(text);
}

const notUnderstood = (asked: string) =>
  new Error(
    `${JSON.stringify(asked)} is no condition that is understood; understood are a place, == or != with a word, < <= > >= with a number, + - * / with numbers before them, and not`,
  );
