/** A place in a JSON document: the child segments of RFC 9535 (`$.a['b c'][0]`), without wildcards, filters and descent. */

export type Step = string | number;
/** What is at the place, or undefined if nothing is there. */
export type Lookup = (document: unknown) => unknown;

/** Longer and deeper paths are a mistake, not a message format. */
const pathLengthMax = 512;
const stepsMax = 32;

const stepPattern = /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(-?\d{1,9})\]|\['((?:[^'\\]|\\['"\\])*)'\]|\["((?:[^"\\]|\\['"\\])*)"\]/uy;

/** Reads a path into its steps; throws an Error that says where it goes wrong and what is allowed. */
export function parsePath(text: string): Step[] {
  if (text.length > pathLengthMax) throw new Error(`is longer than ${pathLengthMax} characters`);
  if (!text.startsWith('$'))
    throw new Error(`${JSON.stringify(text)} does not start with $; allowed is a JSON path such as $.a.b[0] or $['a b']`);
  const steps: Step[] = [];
  let at = 1;
  while (at < text.length) {
    stepPattern.lastIndex = at;
    const match = stepPattern.exec(text);
    if (!match)
      throw new Error(
        `${JSON.stringify(text)} is not understood from character ${at + 1} on; allowed are .name, [0], ['name'] and ["name"]`,
      );
    const quoted = match[3] ?? match[4];
    if (match[2] !== undefined) steps.push(Number(match[2]));
    else steps.push(match[1] ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'));
    at = stepPattern.lastIndex;
  }
  if (steps.length > stepsMax) throw new Error(`has ${steps.length} steps; allowed are ${stepsMax}`);
  return steps;
}

/** Own properties and elements only: `$.toString` is nothing. */
export function compilePath(steps: readonly Step[]): Lookup {
  const [only] = steps;
  // One name is by far the most common path, and this is run for every message.
  if (steps.length === 1 && typeof only === 'string') return (document) => member(document, only);
  return (document) => {
    let value = document;
    for (const step of steps) {
      value = typeof step === 'string' ? member(value, step) : element(value, step);
      if (value === undefined) return undefined;
    }
    return value;
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function element(value: unknown, index: number): unknown {
  return Array.isArray(value) ? value.at(index) : undefined;
}

/** One more step of a path, as `parsePath` reads it: `.name`, `["a b"]`, `[0]`. */
export function pathStep(key: number | string): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `["${key.replaceAll(/["\\]/g, '\\$&')}"]`;
}
