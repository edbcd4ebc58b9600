/** `temp=21.5 state="on air";n:3` → an object. Pairs are divided by white space, commas, semicolons or &; a value in quotes may hold them. */
import { decodeText, wordValue } from './plain.ts';

const betweenPattern = /[\s,;&]*/y;
const pairPattern = /([^\s,;&=:"]{1,128})(?:\s+[=:]\s*|:\s*|=)(?:"((?:[^"\\]|\\.)*)"|([^\s,;&"]*))/uy;

export function decodePairs(payload: Buffer): Record<string, unknown> {
  const text = decodeText(payload);
  const found: [string, unknown][] = [];
  for (let at = afterBetween(text, 0); at < text.length; at = afterBetween(text, pairPattern.lastIndex)) {
    pairPattern.lastIndex = at;
    const match = pairPattern.exec(text);
    if (!match) throw new Error(`the payload is not key=value pairs from character ${at + 1} on`);
    const [, name = '', quoted, bare] = match;
    found.push([name, quoted === undefined ? wordValue(bare ?? '') : quoted.replaceAll(/\\(.)/g, '$1')]);
  }
  if (found.length === 0) throw new Error('the payload is empty, expected is key=value');
  return Object.fromEntries(found);
}

function afterBetween(text: string, at: number): number {
  betweenPattern.lastIndex = at;
  betweenPattern.exec(text);
  return betweenPattern.lastIndex;
}
