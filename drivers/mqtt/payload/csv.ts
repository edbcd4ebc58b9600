/** Comma-separated values (RFC 4180) → a list of lines: each a list of its fields, or with a header an object by the names of the columns. */
import { parse } from 'csv-parse/sync';
import { limits } from '../../../src/contract/limits.ts';
import { decodeText, wordValue } from './plain.ts';

export interface CsvWords {
  separator: string;
  header: boolean;
}

export function decodeCsv(payload: Buffer, { separator, header }: CsvWords): unknown {
  const text = decodeText(payload);
  let lines: string[][];
  try {
    lines = parse(text, {
      delimiter: separator,
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: limits.payloadBytesMax,
    });
  } catch {
    // The library's message quotes the payload.
    throw new Error(
      `the payload is not CSV with the separator ${JSON.stringify(separator)}: a quote is not closed, or stands inside a field`,
    );
  }
  if (lines.length === 0) throw new Error('the payload is empty, expected is CSV');
  if (!header) return lines.map((fields) => fields.map(wordValue));
  const [names = [], ...rows] = lines;
  return rows.map((fields) => Object.fromEntries(fields.map((field, index) => [names[index]?.trim() ?? String(index), wordValue(field)])));
}
