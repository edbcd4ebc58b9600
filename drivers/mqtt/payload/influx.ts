/** InfluxDB line protocol → a list of `{ measurement, tags, fields, time }`; the time is the digits as written, absent where there are none. */
import { decodeText, exact, is64Bit } from './plain.ts';

export interface InfluxLine {
  measurement: string;
  tags: Record<string, string>;
  fields: Record<string, number | bigint | boolean | string>;
  time?: bigint;
}

export function decodeInflux(payload: Buffer): InfluxLine[] {
  const lines = linesOf(decodeText(payload)).filter(({ text }) => text !== '' && !text.startsWith('#'));
  if (lines.length === 0) throw new Error('the payload is empty, expected is Influx line protocol');
  return lines.map(({ text, number }) => {
    try {
      return readLine(text);
    } catch (error) {
      throw new Error(`line ${number} of the payload is not Influx line protocol: ${(error as Error).message}`);
    }
  });
}

/** A line break inside a quoted text does not end the line. */
function linesOf(text: string): { text: string; number: number }[] {
  return split(text, '\n').map((line, index) => ({ text: line.trim(), number: index + 1 }));
}

function readLine(line: string): InfluxLine {
  const [head = '', fieldText = '', time, ...rest] = split(line, ' ').filter((part) => part !== '');
  if (fieldText === '' || rest.length > 0) throw new Error('expected are a measurement, fields and perhaps a time, with one space between');
  const [measurement = '', ...tagTexts] = split(head, ',', false);
  const fields = split(fieldText, ',').map((text): [string, number | bigint | boolean | string] => {
    const { name, value } = pairOf(text);
    return [name, fieldValue(value, name)];
  });
  if (time !== undefined && !/^-?\d{1,19}$/.test(time)) throw new Error('the time is no whole number');
  const tags = tagTexts.map((text): [string, string] => {
    const { name, value } = pairOf(text, false);
    return [name, unescaped(value)];
  });
  return {
    measurement: unescaped(measurement),
    tags: Object.fromEntries(tags),
    fields: Object.fromEntries(fields),
    ...(time === undefined ? {} : { time: BigInt(time) }),
  };
}

function pairOf(text: string, quotes = true): { name: string; value: string } {
  const [name = '', ...values] = split(text, '=', quotes);
  if (name === '' || values.length === 0) throw new Error('a tag or field has no name or no =');
  return { name: unescaped(name), value: values.join('=') };
}

function fieldValue(text: string, name: string): number | bigint | boolean | string {
  if (text.length >= 2 && text.startsWith('"') && text.endsWith('"')) return text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
  if (/^(t|true)$/i.test(text)) return true;
  if (/^(f|false)$/i.test(text)) return false;
  const whole = /^(-?\d{1,20})[iu]$/.exec(text)?.[1];
  if (whole !== undefined) {
    const value = BigInt(whole);
    if (!is64Bit(value)) throw new Error(`field ${JSON.stringify(name)} is no 64-bit integer`);
    return exact(value);
  }
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new Error(`field ${JSON.stringify(name)} is neither a number, nor true or false, nor a text in quotes`);
}

/** Divides where `at` is not after a backslash and, where `quotes` count, not inside them. */
function split(text: string, at: string, quotes = true): string[] {
  const parts: string[] = [];
  let start = 0;
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (quotes && text[i] === '"') inside = !inside;
    else if (text[i] === at && !inside) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (inside) throw new Error('a quote is not closed');
  return [...parts, text.slice(start)];
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([,= \\])/g, '$1');
}
