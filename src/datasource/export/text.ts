/** Samples as rows of text: CSV for spreadsheets, NDJSON for programs. */
import { type Columns, qualities, type SeriesKey } from '../../contract/sample.ts';

export interface Writer {
  head(): Uint8Array;
  /** Samples of one series, a row each. */
  rows(key: SeriesKey, columns: Columns): Uint8Array;
  end(): Uint8Array;
}

const nothing = new Uint8Array();

/**
 * RFC 4180, in UTF-8. A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line break, and is no
 * number) gets an apostrophe in front, because what a device says must not run on the machine of whoever opens the file; one that begins with
 * apostrophes before such a text gets one more, so that an import finds the text again. NDJSON and Arrow have the text as it is. A null is nothing
 * between two commas, an empty text is `""`. `kind` says how the value is held, which a number alone does not.
 */
export const csv: Writer = {
  head: () => Buffer.from('time,device,point,value,quality,reason,kind\r\n'),
  rows: ({ device, point }, columns) => {
    const who = `${csvText(device)},${csvText(point)}`;
    const cell = (row: number) => (columns.kind === 'string' ? csvText(String(columns.values[row])) : spell(columns, row));
    return each(columns, (row) => {
      const value = columns.valid[row] === 1 ? cell(row) : '';
      return `${timeText(columns.times[row] ?? 0n)},${who},${value},${qualityOf(columns, row)},${columns.reasons?.[row] ?? ''},${columns.kind}\r\n`;
    });
  },
  end: () => nothing,
};

/** A line of JSON a sample; 64-bit integers are strings of digits. */
export const ndjson: Writer = {
  head: () => nothing,
  rows: ({ device, point }, columns) => {
    const who = `"device":${JSON.stringify(device)},"point":${JSON.stringify(point)}`;
    const exact = columns.kind === 'int64' || columns.kind === 'uint64';
    const cell = (row: number) => {
      if (columns.kind === 'string') return JSON.stringify(columns.values[row]);
      return exact ? `"${spell(columns, row)}"` : spell(columns, row);
    };
    return each(columns, (row) => {
      const value = columns.valid[row] === 1 ? cell(row) : 'null';
      const time = timeText(columns.times[row] ?? 0n);
      return `{"time":"${time}",${who},"value":${value},"quality":"${qualityOf(columns, row)}","reason":"${columns.reasons?.[row] ?? ''}","kind":"${columns.kind}"}\n`;
    });
  },
  end: () => nothing,
};

function each(columns: Columns, line: (row: number) => string): Uint8Array {
  let text = '';
  for (let row = 0; row < columns.times.length; row += 1) text += line(row);
  return Buffer.from(text);
}

/** A number or a boolean, exactly: the shortest spelling that reads back as the same double, −0 with its sign. */
function spell({ kind, values }: Columns, row: number): string {
  const value = values[row];
  if (kind === 'boolean') return value === 1 ? 'true' : 'false';
  return Object.is(value, -0) ? '-0' : String(value);
}

function qualityOf(columns: Columns, row: number): string {
  return qualities[columns.quality[row] ?? 2] ?? 'bad';
}

/** ISO 8601 in UTC, with milliseconds, or with nanoseconds where there are any. */
export function timeText(timeNs: bigint): string {
  const restNs = ((timeNs % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const text = new Date(Number((timeNs - restNs) / 1_000_000n)).toISOString();
  return restNs === 0n ? text : `${text.slice(0, -1)}${String(restNs).padStart(6, '0')}Z`;
}

/** A number as CSV has it. */
export const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export function csvText(text: string): string {
  const safe = isFormula(text) ? `'${text}` : text;
  return safe === '' || /[",\r\n';]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The opposite, of a cell whose quotes are taken away. */
export function textOfCsv(cell: string): string {
  return cell.startsWith("'") && isFormula(cell.slice(1)) ? cell.slice(1) : cell;
}

/** The four escapes are the full-width =, +, - and @, which spreadsheets take for the plain ones. */
function isFormula(text: string): boolean {
  return /^'*[\s\uFF1D\uFF0B\uFF0D\uFF20=+\-@]/u.test(text) && !numberPattern.test(text);
}
