/** Tables of newest values, as people read them: each row has a unit of its own, which no column can have. */
import { type DataFrame, type Field, FieldType } from '@grafana/data';
import { reading } from '../reading.ts';

/** The column `text` says of every row what its value is, with the unit; the bare `value` stays for those who calculate. */
export function readable(frame: DataFrame): void {
  const named = (name: string) => frame.fields.find((field) => field.name === name);
  const [value, text, unit] = [named('value'), named('text'), named('unit')];
  if (frame.meta?.type !== 'numeric-long' || !value || !text || !unit) return;
  const values = value.values.map((one: number | boolean | null, row: number) => {
    const words = wordOf(text, row);
    return one === null ? words : reading(one, words, wordOf(unit, row));
  });
  frame.fields = frame.fields.map((field) => (field === text ? { ...text, type: FieldType.string, config: {}, values } : field));
}

/** Words that repeat come as numbers of a list. */
function wordOf({ type, values, config }: Field, row: number): string {
  const value: unknown = values[row];
  const word = type === FieldType.enum ? config.type?.enum?.text?.[value as number] : value;
  return word === null || word === undefined ? '' : String(word);
}
