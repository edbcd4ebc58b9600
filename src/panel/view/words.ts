/** What is said to people: how old a reading is, what is wrong with it, where a command has got to. */
import type { CommandState } from '../../contract/command.ts';
import type { Command, Standing } from '../source/answers.ts';
import type { Reading } from '../source/readings.ts';
import type { Progress } from '../source/sender.ts';

export type Tone = 'plain' | 'busy' | 'good' | 'warning' | 'bad';

export interface Said {
  text: string;
  tone: Tone;
}

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `3 s`, `4 min`, `2 h`, `5 d`. */
export function spanOf(ms: number): string {
  const past = Math.max(0, ms);
  if (past < minuteMs) return `${Math.floor(past / secondMs)} s`;
  if (past < hourMs) return `${Math.floor(past / minuteMs)} min`;
  return past < 2 * dayMs ? `${Math.floor(past / hourMs)} h` : `${Math.floor(past / dayMs)} d`;
}

export function ageOf(timeMs: number, nowMs: number): string {
  return nowMs - timeMs < secondMs ? 'now' : `${spanOf(nowMs - timeMs)} ago`;
}

const reasons: Record<string, string> = {
  timeout: 'the device did not answer in time',
  crc: 'the answer was damaged on its way',
  stale: 'the device has been silent for too long',
  sentinel: 'the device says that it has no value',
  'out-of-range': 'outside the range of this point',
  decode: 'the answer was not understood',
  offline: 'the device is offline',
  clock: 'the device’s clock is wrong; this is when it arrived',
  nan: 'the device sent no number',
};

/** What is to be said of a reading that is not simply good. */
export function qualityOf(reading: Reading): Said | undefined {
  const { quality, reason } = reading;
  if (quality === 'good' && reason === '') return undefined;
  const why = reasons[reason] ?? (/^exception-\d+$/.test(reason) ? `the device answered with ${reason.replace('-', ' ')}` : reason);
  const head = quality === 'bad' ? 'No good reading' : quality === 'uncertain' ? 'Uncertain' : 'Note';
  return { text: why ? `${head}: ${why}` : head, tone: quality === 'bad' ? 'bad' : 'warning' };
}

type Show = (value: Command['value']) => string;

/** Where a command of this control has got to. A wish is called one until the device has said what became of it. */
export function progressOf(progress: Progress, title: string, show: Show): Said | undefined {
  switch (progress.at) {
    case 'idle':
      return undefined;
    case 'sending': {
      const deed = wishOf(progress.order.wish, title, show);
      const again = progress.attempt === 0 ? '' : ' No answer; asking again about the same command, which cannot be done twice.';
      return { text: `Asked to ${deed}: on its way.${again}`, tone: progress.attempt === 0 ? 'busy' : 'warning' };
    }
    case 'asked':
      return { text: `Asked to ${wishOf(progress.order.wish, title, show)}: waits for your answer.`, tone: 'busy' };
    case 'running':
    case 'ended':
      return commandSaid(progress.command, title, show);
    case 'refused':
      return { text: sentence(progress.problem.detail), tone: 'bad' };
    case 'lost':
      return { text: `Whether it was done is not known: ${progress.why}.`, tone: 'warning' };
  }
}

function wishOf(
  { target, value }: { target: 'point' | 'command'; value?: Exclude<Command['value'], null> },
  title: string,
  show: Show,
): string {
  return target === 'point' ? `set it to ${show(value ?? null)}` : `run “${title}”`;
}

/** A record in words. */
export function commandSaid(command: Command, title: string, show: Show): Said {
  const { state, position, detail, readBack, times } = command;
  const deed = command.kind === 'set' ? `set it to ${show(command.value)}` : `run “${title}”`;
  const done = command.kind === 'set' ? `Set to ${show(command.value)}` : `“${title}” ran`;
  const ended = times.ended !== undefined;
  const why = detail ? ` ${sentence(detail)}` : '';
  const words: Record<CommandState, Said> = {
    queued: { text: `Asked to ${deed}: waiting${position ? `, ${position} before it` : ''}.`, tone: 'busy' },
    sent: { text: `Asked to ${deed}: sent, no answer yet.`, tone: 'busy' },
    acknowledged: ended
      ? { text: `${done}: the device accepted it; its effect is not checked.${why}`, tone: 'good' }
      : { text: `Asked to ${deed}: the device accepted it, its effect is being checked.`, tone: 'busy' },
    verified: { text: `${done}, and verified.`, tone: 'good' },
    rejected: { text: `Not sent.${why}`, tone: 'bad' },
    expired: { text: `Not sent: it waited too long.${why}`, tone: 'bad' },
    failed: { text: `The device refused to ${deed}.${why}`, tone: 'bad' },
    mismatch: {
      // The record says more, and where it was looked at; not everybody may read it.
      text: `Asked to ${deed}: the device accepted it, but ${detail ? sentence(detail.replace(/^acknowledged, but /, '')) : `it reads ${readBack === undefined ? 'something else' : show(readBack)}.`}`,
      tone: 'bad',
    },
    unknown: { text: `Not known whether the device did it (${deed}).${why}`, tone: 'warning' },
  };
  return words[state];
}

/** Who sent the last command and what became of it, in short. */
export function lastSaid(command: Command, title: string, show: Show, nowMs: number): string {
  const who = command.origin ? `the alert ${command.origin.hook}` : command.user.name || command.user.login;
  const when = ageOf(command.times.ended ?? command.times.sent ?? command.times.queued ?? nowMs, nowMs);
  const deed = command.kind === 'set' ? show(command.value) : title;
  return `Last: ${deed} by ${who}, ${when} (${command.state})`;
}

/** Why a control cannot be used now; undefined if it can. */
export function blockOf(standing: Standing | undefined, nowMs: number): { text: string; untilMs?: number } | undefined {
  if (!standing) return undefined;
  if (!standing.may) return { text: sentence(capital(standing.why ?? 'you may not command this')) };
  const [first] = standing.obstacles.filter(({ until }) => until === undefined || until > nowMs);
  if (!first) return undefined;
  const left = first.until === undefined ? '' : ` ${spanOf(first.until - nowMs + secondMs - 1)} left.`;
  // How long is left is counted here; the number in the sentence stands still.
  const detail = first.detail.replace(/; try again in [\d.]+ s/, '');
  return { text: `${sentence(detail)}${left}`, ...(first.until === undefined ? {} : { untilMs: first.until }) };
}

/** Only of a text that does not begin with the name of something. */
function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** With a full stop, and a time as the reader's clock shows it. */
export function sentence(text: string): string {
  const local = text.trim().replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (time) => new Date(time).toLocaleString());
  return /[.!?…]$/.test(local) ? local : `${local}.`;
}
