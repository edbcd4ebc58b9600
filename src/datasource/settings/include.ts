import type { Faults } from './faults.ts';
import { listOf, show } from './phrases.ts';

export interface IncludedFile {
  name: string;
  /** What its JSON says; absent if there is a fault. */
  value?: unknown;
  /** Why it cannot be used, as the end of a sentence that begins with its name. */
  fault?: string;
  /** Another one when the file has changed. */
  stamp: string;
}

export interface Included {
  files: readonly IncludedFile[];
}

export const nothingIncluded: Included = { files: [] };

const lists = ['connections', 'devices', 'profiles'] as const;

/**
 * The document with the lists of its files behind its own, as if all were written in one. Faults in a file's element are told at its place there:
 * `north.json devices[2].points[0]`. Rights, history and the rest are the document's alone: they are what people see and agree to in Grafana.
 */
export function withIncluded(document: Record<string, unknown>, { files }: Included, faults: Faults): Record<string, unknown> {
  if (files.length === 0) return document;
  const whole: Record<string, unknown> = { ...document };
  const places = new Map<string, { from: number; name: string }[]>();
  for (const [index, { name, value, fault }] of files.entries()) {
    const place = `include[${index}]`;
    if (fault !== undefined) {
      faults.add(place, '', `${show(name)} ${fault}`);
      continue;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      faults.add(place, '', `${show(name)} is ${show(value)}; allowed is an object with ${listOf(lists, 'and')}`);
      continue;
    }
    for (const [field, list] of Object.entries(value)) {
      if (!isList(field)) faults.add(place, '', `${show(name)} has ${show(field)}; allowed in a file are ${listOf(lists, 'and')}`);
      else if (!Array.isArray(list)) faults.add(place, '', `${show(name)} has ${show(list)} as ${field}; allowed is a list`);
      else {
        const own = Array.isArray(whole[field]) ? (whole[field] as unknown[]) : [];
        places.set(field, [...(places.get(field) ?? []), { from: own.length, name }]);
        whole[field] = [...own, ...list];
      }
    }
  }
  faults.tellPlacesAs((list, index) => {
    const file = places.get(list)?.findLast(({ from }) => from <= index);
    return file && { name: file.name, index: index - file.from };
  });
  return whole;
}

function isList(field: string): field is (typeof lists)[number] {
  return (lists as readonly string[]).includes(field);
}
