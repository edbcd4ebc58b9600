import type * as z from 'zod';
import type { ConfigFault } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { withoutUserinfo } from './phrases.ts';
import { type Checked, check, tailOf } from './words.ts';

/** The file of an element of the whole settings and its place there; undefined if it is the document's own. */
type FileOf = (list: string, index: number) => { name: string; index: number } | undefined;

/**
 * Gathers what is wrong and remembers which element it is wrong with: a connection, a device, or one point or command of a device.
 * Whatever is broken here is left out of the plan; its neighbours run.
 */
export class Faults {
  readonly #faults: ConfigFault[] = [];
  readonly #seen = new Set<string>();
  readonly #broken = new Set<string>();
  readonly #secrets: readonly string[];
  #beyond = 0;
  #fileOf: FileOf = () => undefined;

  /** `secrets` are values that no message may repeat; one of three characters would blank half a sentence and say less than it hides. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length >= 4).sort((one, other) => other.length - one.length);
  }

  /** `element` is `devices[2].points[0]`, `tail` what follows it: `.address.register`. Said once, however often it is found. */
  add(element: string, tail: string, message: string, severity: ConfigFault['severity'] = 'error'): void {
    if (severity === 'error') this.#broken.add(element);
    const place = this.#withoutSecrets(`${element}${tail}`.replace(/^\./, ''));
    const text = this.#withoutSecrets(withoutUserinfo(message));
    const said = `${place}\n${text}`;
    if (this.#seen.has(said)) return;
    if (this.#faults.length >= limits.configFaultsMax) {
      this.#beyond++;
      return;
    }
    this.#seen.add(said);
    this.#faults.push({ severity, place, message: text });
  }

  warn(element: string, tail: string, message: string): void {
    this.add(element, tail, message, 'warning');
  }

  /** True if an error was found in the element itself (not in elements below it). */
  broken(element: string): boolean {
    return this.#broken.has(element);
  }

  /** Checks a value at a place; undefined if it is wrong. */
  check<T>(schema: z.ZodType<T>, value: unknown, element: string, tail = ''): T | undefined {
    return this.take(check(schema, value), () => element, tail);
  }

  /** As `check`, for a value whose fields come from different elements. */
  take<T>(checked: Checked<T>, elementOf: (field: PropertyKey | undefined) => string, tail = ''): T | undefined {
    if (checked.ok) return checked.value;
    for (const { path, message } of checked.problems) this.add(elementOf(path[0]), `${tail}${tailOf(path)}`, message);
    return undefined;
  }

  /** Elements that came from a file are told with its name and their place in it. */
  tellPlacesAs(fileOf: FileOf): void {
    this.#fileOf = fileOf;
  }

  all(): ConfigFault[] {
    const told = this.#faults.map((fault) => ({ ...fault, place: this.#told(fault.place), message: this.#told(fault.message) }));
    if (this.#beyond === 0) return told;
    return [...told, { severity: 'error', place: '', message: `has ${this.#beyond} more faults, which are not listed` }];
  }

  #told(text: string): string {
    return text.replaceAll(/\b(connections|devices|profiles)\[(\d+)\]/g, (place, list: string, index: string) => {
      const file = this.#fileOf(list, Number(index));
      return file ? `${file.name} ${list}[${file.index}]` : place;
    });
  }

  #withoutSecrets(message: string): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
  }
}
