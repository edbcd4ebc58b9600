/**
 * Nothing but the handshake may reach stdout: one foreign line before it and the host refuses the plugin, and everything after it is lost.
 * So the streams of the process are replaced before any library loads, and what a library prints becomes a line of the log. That also keeps
 * raw text off stderr, where a line of JSON with the wrong types makes the host panic (facts/grafana.md §1.6).
 */
import { Writable } from 'node:stream';
import { systemClock } from '../contract/clock.ts';
import { limits } from '../contract/limits.ts';
import { type StderrLog, stderrLog } from './stderr.ts';

/** The log of the process. Importing this module captures the output, so main imports it first. */
export const log: StderrLog = captureOutput();

/** Puts a log behind `console`, `process.stdout` and `process.stderr`; a worker's output arrives there too. */
function captureOutput(): StderrLog {
  const made = stderrLog(systemClock);
  for (const name of ['stdout', 'stderr'] as const) {
    const lines = linesTo((text) => (name === 'stdout' ? made.debug : made.warn)(text, { from: name }));
    Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => lines });
  }
  return made;
}

/** Lines of text; a line that does not end is cut at an eighth of the log's line limit, as the log would. */
function linesTo(take: (line: string) => void): Writable {
  let rest = '';
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      const parts = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'))).split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > limits.logLineBytesMax / 8) parts.push(rest);
      if (parts.at(-1) === rest) rest = '';
      for (const part of parts) if (part.trim() !== '') take(part);
      done();
    },
  });
}
