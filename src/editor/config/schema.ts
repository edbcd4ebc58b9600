import { isItem } from './document.ts';
import { texts } from './texts.ts';

/** What the editor reads of a JSON Schema: enough to draw a form. The backend alone judges what is right (`POST config/check`). */
export interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  examples?: unknown[];
  title?: string;
  description?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** A protocol as `GET drivers` describes it. */
export interface DriverSchemas {
  kind: string;
  title: string;
  secrets: string[];
  connection: Schema;
  device: Schema;
  address: Schema;
  action?: Schema;
  survey?: { probe?: Schema; scan?: Schema };
}

export interface Choice {
  label: string;
  value: string | number | boolean;
  description?: string;
}

export const isConst = (schema: Schema): boolean => 'const' in schema;

/** How a value is asked for. */
export type Shape =
  | 'fixed'
  | 'choice'
  | 'switch'
  | 'number'
  | 'text'
  | 'scalar'
  | 'group'
  | 'map'
  | 'choices'
  | 'list'
  | 'variants'
  | 'json';

export function shapeOf(schema: Schema): Shape {
  if (isConst(schema)) return 'fixed';
  if (schema.enum) return 'choice';
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) {
    if (variants.every((one) => isConst(one) || one.enum)) return 'choice';
    return variants.every((one) => ['number', 'text', 'switch'].includes(shapeOf(one))) ? 'scalar' : 'variants';
  }
  if (Array.isArray(schema.type)) return 'scalar';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'array' && schema.items) return schema.items.enum ? 'choices' : 'list';
  if (schema.properties) return 'group';
  return typeof schema.additionalProperties === 'object' && Object.keys(schema.additionalProperties).length > 0 ? 'map' : 'json';
}

/** All values a choice allows. Of numbers and texts that mean the same (5 and "5.0") only the numbers are offered. */
export function choicesOf(schema: Schema): Choice[] {
  const parts = schema.enum ? [schema] : (schema.oneOf ?? schema.anyOf ?? []);
  const fixed = parts.filter(isConst);
  const used = fixed.length > 0 ? fixed : parts;
  return used.flatMap((part): Choice[] => {
    const described = part.description && part !== schema ? { description: part.description } : {};
    const values = isConst(part) ? [part.const] : (part.enum ?? []);
    return values.filter(isScalar).map((value) => ({ label: String(value), value, ...described }));
  });
}

export function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

export interface Variant {
  /** Stable within its list: what the selector keeps. */
  key: string;
  label: string;
  /** Absent for a value that stands for itself. */
  schema?: Schema;
  /** What it is for, in a line. */
  line?: string;
  /** What is set when it is chosen. */
  first: unknown;
  fits(value: unknown): boolean;
}

/** The ways a value may be written: objects told apart by a constant member, single words, or texts beside objects. */
export function variantsOf(schema: Schema): Variant[] {
  return (schema.oneOf ?? schema.anyOf ?? []).flatMap((part, index): Variant[] => {
    if (part.enum || isConst(part)) {
      return (part.enum ?? [part.const]).map((value) => ({
        key: `=${String(value)}`,
        label: String(value),
        first: value,
        fits: (given) => given === value,
      }));
    }
    const tag = tagOf(part);
    if (tag) {
      const [name, value] = tag;
      const line = part.properties?.[name]?.description;
      const label = part.description ?? line ?? String(value);
      const fits = (given: unknown) => isItem(given) && given[name] === value;
      const shown = label.length > 60 ? String(value) : label;
      return [{ key: String(value), label: shown, ...(line && line !== shown && { line }), schema: part, first: { [name]: value }, fits }];
    }
    const shape = shapeOf(part);
    const only = Object.keys(part.properties ?? {});
    if (shape === 'text') return [{ key: 'text', label: texts.aText, schema: part, first: '', fits: (given) => typeof given === 'string' }];
    if (shape === 'number')
      return [{ key: 'number', label: texts.aNumber, schema: part, first: part.default ?? 0, fits: (given) => typeof given === 'number' }];
    if (shape === 'switch')
      return [{ key: 'switch', label: texts.aTruth, schema: part, first: false, fits: (given) => typeof given === 'boolean' }];
    const isOne = only.length === 1 && only[0] !== undefined;
    return [
      {
        key: `object ${index}`,
        label: isOne ? nameOf(only[0] as string) : texts.details,
        schema: part,
        first: isOne ? { [only[0] as string]: '' } : {},
        fits: isItem,
      },
    ];
  });
}

/** The member that is a constant, and so tells one object from the others. */
export function tagOf(schema: Schema): [string, unknown] | undefined {
  const found = Object.entries(schema.properties ?? {}).find(([, member]) => isConst(member));
  return found && [found[0], found[1].const];
}

/** `baudRate` → `Baud rate`, `unitId` → `Unit id`. */
export function nameOf(member: string): string {
  const words = member
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .toLowerCase();
  const short = words.replaceAll(/\b(url|tls|usb|dtr|rts|qos|json|io|rs485)\b/g, (word) => (word === 'qos' ? 'QoS' : word.toUpperCase()));
  return short.charAt(0).toUpperCase() + short.slice(1);
}

/** What stands in an empty field: what holds if nothing is said, or an example. */
export function placeholderOf(schema: Schema): string {
  if (isScalar(schema.default) && schema.default !== '') return printable(schema.default);
  const example = schema.examples?.find(isScalar);
  return example === undefined ? '' : `e.g. ${printable(example)}`;
}

const printable = (value: string | number | boolean): string =>
  typeof value === 'string' ? JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"') : String(value);

/** A small object is shown whole; of a large one that many undecided members at most. */
const wholeMax = 6;

/**
 * Which members stand in front and which behind "More": what has to be said, and what has no default. An object whose members all have one shows its
 * first.
 */
export function split(schema: Schema, front?: readonly string[]): { front: string[]; more: string[] } {
  const names = Object.keys(schema.properties ?? {}).filter((name) => shapeOf(schema.properties?.[name] ?? {}) !== 'fixed');
  if (front) return { front: front.filter((name) => names.includes(name)), more: names.filter((name) => !front.includes(name)) };
  if (names.length <= wholeMax) return { front: names, more: [] };
  const required = names.filter((name) => schema.required?.includes(name));
  const open = names.filter((name) => {
    const member = schema.properties?.[name] ?? {};
    return !required.includes(name) && member.default === undefined && ['text', 'number', 'choice', 'scalar'].includes(shapeOf(member));
  });
  const chosen = new Set([...required, ...open.slice(0, Math.max(wholeMax - required.length, 0))]);
  if (chosen.size === 0 && names[0] !== undefined) chosen.add(names[0]);
  return { front: names.filter((name) => chosen.has(name)), more: names.filter((name) => !chosen.has(name)) };
}
