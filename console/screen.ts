/** Draws the model as lines of text of a given width: pure, so that it can be tested without a terminal. */
import type { ConnectionRow, Model, PointRow } from './model.ts';
import { sparkline } from './sparkline.ts';

/** Terminal attributes (ECMA-48 §8.3.117); switched off where the output is no terminal. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

const wrap = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
export const coloured: Style = { bold: wrap(1), dim: wrap(2), good: wrap(32), warn: wrap(33), bad: wrap(31) };
const same = (text: string) => text;
export const plain: Style = { bold: same, dim: same, good: same, warn: same, bad: same };

const trendWidthMin = 10;

/** Lines that answer what was typed: enough for `help` with a sentence before it. */
const messageLinesMax = 6;

/**
 * The whole screen, at most `height` lines; points that do not fit are counted in a last line. Where there is hardly any room, the answers to
 * what was typed stay and the points go. Lines are laid out for 60 columns at least: the terminal clips what it has no room for.
 */
export function draw(model: Model, size: { width: number; height: number }, style: Style): string[] {
  const width = Math.max(60, size.width);
  const height = Math.max(1, size.height);
  const said = model.messages.flatMap((text) => wrapped(text, size.width)).slice(-Math.min(messageLinesMax, Math.ceil(height / 2)));
  const commands = commandLines(model, width, style);
  const top = title(model, width, style);
  const head = [top, '', ...connectionLines(model, width, style), ''];
  const foot = [...commands, ...said];
  const room = height - head.length - foot.length;
  if (room >= pointRoomMin) return [...head, ...pointLines(model, width, room, style), ...foot];
  return [...[top, ...head.slice(2, -1), ...commands].slice(0, height - said.length), ...said];
}

/** A header, two points and what is left out. */
const pointRoomMin = 4;

/** Text in lines of at most `width` characters, broken between words where there are any. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = printable(text);
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const end = blank > width / 2 ? blank : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

function title(model: Model, width: number, style: Style): string {
  const paint = model.health.status === 'OK' ? style.good : model.health.status === 'ERROR' ? style.bad : style.warn;
  const clock = new Date(model.nowMs).toLocaleTimeString('en-GB');
  const text = fit(model.health.message, width - 30);
  return `${style.bold('Fieldgate')}  ${paint(model.health.status)}  ${pad(text, width - 24 - model.health.status.length)} ${clock}`;
}

function connectionLines(model: Model, width: number, style: Style): string[] {
  const rows = model.connections.map(
    (row) =>
      `${light(row, style)} ${pad(row.id, 16)} ${pad(row.kind, 8)} ${pad(row.state, 11)} ${pad(age(model.nowMs - row.sinceMs), 7)} ${fit(row.error, width - 50)}`,
  );
  const online = model.devices.filter((device) => device.state === 'online').length;
  const missing = model.devices
    .filter((device) => device.state === 'offline')
    .map((device) => `${device.id} (${age(model.nowMs - device.sinceMs)})`);
  const summary = `${online} of ${model.devices.length} devices online${missing.length > 0 ? `; offline: ${missing.join(', ')}` : ''}`;
  return [style.dim(`  ${pad('CONNECTION', 16)} ${pad('KIND', 8)} ${pad('STATE', 11)} SINCE`), ...rows, `  ${fit(summary, width - 2)}`];
}

function light(row: ConnectionRow, style: Style): string {
  if (row.state === 'up') return style.good('●');
  return row.state === 'connecting' ? style.warn('◌') : style.bad('○');
}

function pointLines(model: Model, width: number, room: number, style: Style): string[] {
  const nameWidth = Math.min(36, Math.max(12, ...model.points.map((row) => row.device.length + row.point.length + 1)));
  const valueWidth = Math.min(24, Math.max(8, ...model.points.map((row) => row.value.length + row.unit.length + 1)));
  const trendWidth = Math.max(trendWidthMin, Math.min(60, width - nameWidth - valueWidth - 27));
  const header = style.dim(
    `  ${pad('POINT', nameWidth)} ${padStart('VALUE', valueWidth)}  ${pad('QUALITY', 14)} ${padStart('AGE', 6)}  LAST MINUTE`,
  );
  const shown = model.points.length < room ? model.points : model.points.slice(0, room - 2);
  const lines = shown.map((row) => {
    const value = padStart(fit(row.unit ? `${row.value} ${row.unit}` : row.value, valueWidth), valueWidth);
    const old = row.timeMs === null ? '' : age(model.nowMs - row.timeMs);
    return `  ${pad(fit(`${row.device}.${row.point}`, nameWidth), nameWidth)} ${style.bold(value)}  ${qualityOf(row, style)} ${padStart(old, 6)}  ${sparkline(row.trend, trendWidth)}`;
  });
  const left = model.points.length - shown.length;
  return [header, ...lines, ...(left > 0 ? [style.dim(`  … and ${left} more; a taller window shows them`)] : [])];
}

function qualityOf(row: PointRow, style: Style): string {
  const text = pad(fit(row.reason ? `${row.quality} ${row.reason}` : row.quality, 14), 14);
  if (row.quality === 'good') return style.good(text);
  return row.quality === 'uncertain' ? style.warn(text) : row.quality === 'bad' ? style.bad(text) : style.dim(text);
}

function commandLines(model: Model, width: number, style: Style): string[] {
  return model.commands.slice(0, 3).map((row) => {
    const paint = row.state === 'verified' || row.state === 'acknowledged' ? style.good : row.tookMs === null ? style.warn : style.bad;
    const took = row.tookMs === null ? '' : ` in ${row.tookMs} ms`;
    const time = new Date(row.timeMs).toLocaleTimeString('en-GB');
    const what = fit(`${row.device}.${row.point} = ${row.value} by ${row.user}`, Math.max(40, width - 40));
    return `  ${time} ${what}: ${paint(row.state)}${took}${fit(row.detail ? `, ${row.detail}` : '', Math.max(0, width - 30 - what.length))}`;
  });
}

/** `0.4s`, `12s`, `3m`, `5h`, `2d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 120) return `${Math.round(seconds)}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}

/** Device text can hold escape sequences; nothing but printable characters reaches the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '·');
}

function fit(text: string, width: number): string {
  const clean = printable(text);
  return clean.length <= width ? clean : `${clean.slice(0, Math.max(0, width - 1))}…`;
}
const pad = (text: string, width: number) => text.padEnd(width);
const padStart = (text: string, width: number) => text.padStart(width);
