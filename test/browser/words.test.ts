/** Ready for translation: everything that people read stands in a texts.ts, words.ts or examples.ts of its folder. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAst } from 'vitest/node';

const root = join(import.meta.dirname, '../..');

interface Node {
  type: string;
  start: number;
  [member: string]: unknown;
}

/** Two words, a capital at the beginning, or a word beside what is put in. */
const words = /\p{L}{2,}[ ,:][^=;/]*\p{L}{2}|^\p{Lu}\p{Ll}+|\p{L}{2,} …|… \p{L}{2,}|\p{L}{3,}: …/u;

/** Names that others gave: Grafana's reference of annotations, our kind of problems, media types, headers; how a PEM file begins; QoS; widths. And a slip of ours. */
const names =
  /^(\d+px |Anno|QoS|urn:|[\w-]+\/[\w.+-]+$|Content-Type|Idempotency-Key|-----BEGIN|a part of the config editor is used outside of it$)/;

/** Of an attribute or a member of an object. */
function nameOf(node: Node): string {
  if (!/^(JSXAttribute|Property)$/.test(node.type)) return '';
  return ((node.name ?? node.key) as { name?: string }).name ?? '';
}

/** What only programs read: comparisons (keys, roles), reasons of an abort, selectors, test ids, keys of options and widths. */
function isForPrograms(node: Node): boolean {
  const callee = (node.callee as { property?: { name?: string } } | undefined)?.property?.name ?? '';
  return (
    /^(TS(?!As|NonNull|Satisfies)|Import|ExportAll)/.test(node.type) ||
    (node.type === 'BinaryExpression' && node.operator !== '+') ||
    (node.type === 'CallExpression' && /^(abort|closest|querySelector|querySelectorAll|matches)$/.test(callee)) ||
    /^(data-testid|key|style|sx)$/.test(nameOf(node))
  );
}

/** Members that are shown: a single word in them is read, too. */
const shown = /^(label|title|description|placeholder|tooltip|aria-label|text)$/;

function wordsIn(node: unknown, found: { at: number; text: string }[] = []): { at: number; text: string }[] {
  if (Array.isArray(node)) for (const one of node) wordsIn(one, found);
  if (typeof node !== 'object' || node === null || !('type' in node)) return found;
  const one = node as Node;
  if (isForPrograms(one)) return found;
  const text =
    one.type === 'TemplateLiteral'
      ? (one.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('…')
      : one.type === 'JSXText' || one.type === 'Literal'
        ? one.value
        : undefined;
  const isText = typeof text === 'string' && (one.type === 'JSXText' ? /\p{L}{2}/u.test(text) : words.test(text));
  if (isText && !names.test(text)) found.push({ at: one.start, text: text.trim() });
  const value = shown.test(nameOf(one)) ? (one.value as { value?: unknown } | null)?.value : undefined;
  if (typeof value === 'string' && /^\p{Ll}{2,}$/u.test(value)) found.push({ at: one.start, text: value });
  for (const member of Object.values(one)) wordsIn(member, found);
  return found;
}

const parse = (code: string) => parseAst(code, { lang: 'tsx' }) as unknown;

it('finds words wherever they stand, and nothing else', () => {
  const said = (code: string) => wordsIn(parse(code)).map(({ text }) => text);
  expect(said('const a = <p title="Try again">Loading …</p>;')).toEqual(['Try again', 'Loading …']);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code to be read.
  expect(said('throw new Error(`${count} devices are behind it`);')).toEqual(['… devices are behind it']);
  expect(said("const b = 'Nothing fits ' + name;")).toEqual(['Nothing fits']);
  expect(said("const c = { value: 'devices', description: 'variable' }; const d = <p title=\"now\" />;")).toEqual(['variable', 'now']);
  expect(said("if (key === 'Escape') over.abort(new Error('look sooner'));")).toEqual([]);
  expect(said('import { a } from \'Some place\'; const b = <p key="a b c">{texts.loading}</p>;')).toEqual([]);
});

it.each(globSync('src/{editor,panel}/**/*.{ts,tsx}', { cwd: root }).filter((file) => !/(texts|words|examples|styles)\.ts$/.test(file)))(
  '%s says nothing by itself',
  (file) => {
    const code = readFileSync(join(root, file), 'utf8');
    const found = wordsIn(parse(code)).map(({ at, text }) => `${code.slice(0, at).split('\n').length}: ${text}`);
    expect(found, 'texts belong into texts.ts').toEqual([]);
  },
);
