/** From the bytes of an import to lines whose parts are still to be checked, whatever the format. */
import { isUtf8 } from 'node:buffer';
import { parseExactJson } from '../../contract/exact-json.ts';
import { badRequest, messageOf } from '../../contract/fault.ts';
import { readArrow } from '../../frame/arrow-read.ts';
import { type Cell, readCsv } from './csv.ts';

/** What one line says. A value is what the format says of it: a cell of CSV is text, NDJSON and Arrow have types. */
export interface Raw {
  /** Counted from 1; of Arrow the row. */
  line: number;
  time: unknown;
  device: unknown;
  point: unknown;
  value: unknown;
  quality: unknown;
  reason: unknown;
  kind: unknown;
  /** False where the replacement character may stand for bytes that are no UTF-8; else it is one that was written. */
  isUtf8: boolean;
}

export type RawLine = Raw | { line: number; problem: string };

export const importTypes = {
  'text/csv': csvLines,
  'application/x-ndjson': jsonLines,
  'application/vnd.apache.arrow.stream': arrowLines,
} as const;
export type ImportType = keyof typeof importTypes;

const needed = ['time', 'device', 'point', 'value'];
const known = ['time', 'device', 'point', 'value', 'quality', 'reason', 'kind'] as const;
type Name = (typeof known)[number];

/** A cell of CSV, so that values that were written in quotes stay texts. */
export class CsvValue {
  readonly cell: Cell;

  constructor(cell: Cell) {
    this.cell = cell;
  }
}

function* csvLines(bytes: Uint8Array): Generator<RawLine> {
  const isText = isUtf8(bytes);
  const records = readCsv(textOf(bytes));
  const first = records.next();
  const head = first.done ? undefined : first.value;
  const names = head && 'cells' in head ? head.cells.map(({ text }) => text.trim()) : [];
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw badRequest(
      `the first line has no column ${missing.join(', ')}; allowed is a head such as time,device,point,value,quality,reason,kind`,
      'line 1',
      'bad-import',
    );
  }
  const twice = known.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice) throw badRequest(`the first line has the column ${twice} twice; allowed is once`, 'line 1', 'bad-import');
  const places = Object.fromEntries(known.map((name) => [name, names.indexOf(name)])) as Record<Name, number>;
  for (const record of records) {
    if ('problem' in record) {
      yield record;
      continue;
    }
    const { line, cells } = record;
    if (cells.length !== names.length) {
      yield { line, problem: `has ${cells.length} columns; the head has ${names.length}` };
      continue;
    }
    const text = (name: Name) => cells[places[name]]?.text;
    const cell = cells[places.value];
    yield {
      line,
      time: text('time'),
      device: text('device'),
      point: text('point'),
      value: cell ? new CsvValue(cell) : null,
      quality: text('quality'),
      reason: text('reason'),
      kind: text('kind'),
      isUtf8: isText,
    };
  }
}

function* jsonLines(bytes: Uint8Array): Generator<RawLine> {
  const text = textOf(bytes);
  const isText = isUtf8(bytes);
  let line = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const piece = text.slice(at, end < 0 ? text.length : end).trim();
    at = end < 0 ? text.length : end + 1;
    line += 1;
    if (piece === '') continue;
    let parsed: unknown;
    try {
      parsed = parseExactJson(piece);
    } catch {
      yield { line, problem: 'is not JSON' };
      continue;
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      yield { line, problem: 'is no JSON object' };
      continue;
    }
    const { time, device, point, value, quality, reason, kind } = parsed as Record<string, unknown>;
    yield { line, time, device, point, value, quality, reason, kind, isUtf8: isText };
  }
}

function* arrowLines(bytes: Uint8Array): Generator<RawLine> {
  let line = 0;
  try {
    for (const row of readArrow(bytes)) {
      line += 1;
      yield { line, ...row };
    }
  } catch (error) {
    if (line === 0) throw badRequest(`the body ${messageOf(error)}`, undefined, 'bad-import');
    // What came before is whole.
    yield { line: line + 1, problem: messageOf(error) };
  }
}

/** Bytes that are no UTF-8 become the replacement character, and the line that has it is refused where it matters: in a text. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes);
}
