/** The start-up dialogue: what is said after each opening, before anything else. */
import { formatDurationMs } from '../../src/contract/duration.ts';
import type { Frame } from './frame.ts';
import { compileMatch, noPlaces, showFrame } from './match.ts';
import { fill, namesIn, type Sent } from './sending.ts';
import type { ConnectionOptions } from './settings.ts';
import { hide } from './taps.ts';
import type { Wire } from './wire.ts';

/** Rejects with the step that failed, in words without the secret. */
export async function runStart(wire: Wire, { start }: ConnectionOptions, password: string | undefined, signal: AbortSignal): Promise<void> {
  for (const [index, { send, expect, timeout, retries, wait }] of start.entries()) {
    const match = expect === undefined ? undefined : compileMatch(expect);
    let last: Frame | undefined;
    const accept = match
      ? (frame: Frame) => {
          last = frame;
          return match.find(frame, noPlaces) && true;
        }
      : undefined;
    const place = `start[${index}]`;
    const [bytes, shown] = send === undefined ? [Buffer.alloc(0), undefined] : spell(place, send, password, wire);
    const request = { bytes, timeoutMs: timeout, restMs: wait, isStart: true, ...(accept && { accept }), ...(shown && { shown }) };
    let outcome = await wire.ask(request, signal);
    for (let left = retries; outcome.kind === 'timeout' && left > 0; left -= 1) outcome = await wire.ask(request, signal);
    if (outcome.kind === 'lost') throw outcome.error;
    if (outcome.kind === 'aborted') throw outcome.reason;
    if (outcome.kind === 'answer') continue;
    const heard = last ? `the last it said is ${hide(Buffer.from(showFrame(last)), password ?? '').toString()}` : 'it said nothing';
    throw new Error(
      `the start-up dialogue failed at ${place}: what it expects did not come in ${formatDurationMs(timeout)}${retries > 0 ? `, ${retries + 1} times` : ''}; ${heard}`,
    );
  }
}

/** What is sent, and what is shown of it. */
function spell(place: string, send: Sent, password: string | undefined, wire: Wire): [Buffer, Buffer | undefined] {
  const isSecret = namesIn(send).includes('password');
  if (isSecret && !password)
    throw new Error(`the start-up dialogue failed at ${place}: the secret "password" of the connection is not set`);
  const bytes = fill(send, password ? { password } : {}, noPlaces, wire.spelling);
  if (!isSecret) return [bytes, undefined];
  return [bytes, typeof send === 'string' ? fill(send, { password: '***' }, noPlaces, wire.spelling) : Buffer.from('***')];
}
