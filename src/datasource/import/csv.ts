/** CSV (RFC 4180) as records of cells, each with the line it begins at. A record that is broken is told of, and the next line is read all the same. */

export interface Cell {
  text: string;
  /** `""` is an empty text, nothing between two commas is null. */
  quoted: boolean;
}

export type CsvRecord = { line: number; cells: Cell[] } | { line: number; problem: string };

/** Lines end with CR LF, LF or CR; empty ones are passed over. */
export function* readCsv(text: string): Generator<CsvRecord> {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  /** From here on no quote closes: looked for once, not again for each line. */
  let openFrom = Number.POSITIVE_INFINITY;
  while (at < text.length) {
    const begin = at;
    const cells: Cell[] = [];
    let problem: string | undefined;
    for (;;) {
      let quoted = false;
      let cell = '';
      if (text[at] === '"') {
        quoted = true;
        const end = at >= openFrom ? -1 : closingQuote(text, at + 1);
        if (end < 0) {
          openFrom = Math.min(openFrom, at);
          problem = 'has a quote that is not closed';
          break;
        }
        cell = text.slice(at + 1, end).replaceAll('""', '"');
        at = end + 1;
      } else {
        const end = endOfCell(text, at);
        cell = text.slice(at, end);
        at = end;
      }
      const next = text[at];
      if (next !== undefined && next !== ',' && next !== '\r' && next !== '\n') {
        problem = 'has something between a closing quote and the next comma';
        break;
      }
      cells.push({ text: cell, quoted });
      if (next !== ',') break;
      at += 1;
    }
    // After a broken record the next line is where the first of it ends.
    if (problem !== undefined) at = endOfLine(text, begin);
    const first = line;
    if (text[at] === '\r' && text[at + 1] === '\n') at += 2;
    else if (at < text.length) at += 1;
    line += linesIn(text, begin, at);
    if (problem !== undefined) yield { line: first, problem };
    else if (cells.length > 1 || cells[0]?.text !== '' || cells[0].quoted) yield { line: first, cells };
  }
}

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return -1;
}

function endOfCell(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2c || code === 0x0d || code === 0x0a) break;
  }
  return at;
}

function endOfLine(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x0d || code === 0x0a) break;
  }
  return at;
}

function linesIn(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(at + 1) !== 0x0a)) lines += 1;
  }
  return lines;
}
