/**
 * The log of the process: JSON lines on stderr as go-plugin's host reads them (facts: `@level`, `@message`, `@timestamp`; other keys are fields).
 * The host panics on a line whose three keys are not strings and does not parse one above 64 KiB, so every line is made here and nowhere else.
 */
import { write, writeSync } from 'node:fs';
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log, LogFields } from '../contract/log.ts';
import { Refusal } from './handshake.ts';

export interface StderrLog extends Log {
  /** Resolves when every line so far is written, or cannot be. */
  flush(): Promise<void>;
}

type Level = 'debug' | 'info' | 'warn' | 'error';

const stderrFd = 2;

export function stderrLog(clock: Clock): StderrLog {
  const pipe = boundedPipe((lost) => line('warn', 'log lines were dropped: the host does not read stderr', { lost }, clock));
  const at = (level: Level) => (message: string, fields?: LogFields) => pipe.put(line(level, message, fields, clock));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), flush: pipe.flush };
}

/** One line, with its line feed. Never longer than `limits.logLineBytesMax`. */
export function line(level: Level, message: string, fields: LogFields | undefined, clock: Clock): string {
  const head = { '@level': level, '@message': cut(String(message), limits.logLineBytesMax / 8), '@timestamp': timestamp(clock.nowMs()) };
  const rest: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields ?? {})) {
    // The host drops `timestamp` and reads keys with @ as its own.
    if (value !== undefined) rest[key.startsWith('@') || key === 'timestamp' ? `field_${key.replace('@', '')}` : key] = plain(value);
  }
  const whole = JSON.stringify({ ...head, ...rest });
  if (Buffer.byteLength(whole) < limits.logLineBytesMax) return `${whole}\n`;
  return `${JSON.stringify({ ...head, cut: 'the fields of this line were too long' })}\n`;
}

/** Go's layout `2006-01-02T15:04:05.000000Z07:00`: exactly six fraction digits, or the host does not read the line as JSON. */
function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}

function plain(value: string | number | boolean | bigint): string | number | boolean {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'string' ? cut(value, limits.logLineBytesMax / 8) : value;
}

/** JSON escapes a control character with six bytes, so an eighth of the line leaves room for any text. */
function cut(text: string, charactersMax: number): string {
  return (text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text).toWellFormed();
}

/**
 * Lines on their way out, one write at a time and off the main thread: a host that stops reading (a full pipe blocks the writer) must not
 * stop the devices. Bounded by `limits.logLinesMax`; what does not fit is counted and said when there is room again.
 */
function boundedPipe(sayLost: (lost: number) => string): { put(text: string): void; flush(): Promise<void> } {
  const waiting: string[] = [];
  let busy = false;
  let lost = 0;
  let idle: (() => void)[] = [];

  function next(): void {
    const text = waiting.splice(0).join('');
    if (text === '') {
      busy = false;
      for (const done of idle.splice(0)) done();
      return;
    }
    busy = true;
    writeAll(Buffer.from(text), () => {
      if (lost > 0) waiting.push(sayLost(lost));
      lost = 0;
      next();
    });
  }

  return {
    put(text) {
      if (waiting.length >= limits.logLinesMax) lost++;
      else waiting.push(text);
      if (!busy) next();
    },
    flush: () => (busy ? new Promise((resolve) => (idle = [...idle, resolve])) : Promise.resolve()),
  };
}

/** EPIPE means that the host is gone, which `host.ts` notices by itself; there is nobody left to tell, so errors end the write and no more. */
function writeAll(bytes: Buffer, done: () => void): void {
  write(stderrFd, bytes, (error, written) => {
    if (error?.code === 'EAGAIN') setTimeout(() => writeAll(bytes, done), 5);
    else if (error || written >= bytes.length) done();
    else writeAll(bytes.subarray(written), done);
  });
}

/** For an exit before anything was served: a sentence for a person, a line of the log for a host. Nothing can be awaited any more. */
export function lastWords(error: unknown, clock: Clock): void {
  const refusal = error instanceof Refusal ? error : undefined;
  const stack = refusal || !(error instanceof Error) ? undefined : error.stack;
  try {
    writeSync(stderrFd, refusal?.to === 'person' ? `${refusal.message}\n` : line('error', messageOf(error), { stack }, clock));
  } catch {
    // Nobody reads stderr: there is no other place to say it.
  }
}
