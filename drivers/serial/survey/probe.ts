/** Listens to a line and says what it hears. Sends nothing. */
import type { Clock } from '../../../src/contract/clock.ts';
import type { Finding, Survey } from '../../../src/contract/driver.ts';
import { limits } from '../../../src/contract/limits.ts';
import { type ConnectionOptions, endpointOf } from '../settings.ts';
import type { Wire } from '../wire.ts';
import { type Guess, guess } from './guess.ts';
import type { ProbeOptions } from './settings.ts';

/** Collects what is heard, in pieces divided by silence. */
export class Heard {
  readonly pieces: Buffer[] = [];
  readonly #clock: Clock;
  #bytes = 0;
  #atMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(bytes: Buffer): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.pieces.at(-1);
    if (this.#bytes + bytes.length <= limits.serialProbeBytesMax) {
      this.#bytes += bytes.length;
      if (last && nowMs - this.#atMs < limits.serialProbeGapMs) this.pieces[this.pieces.length - 1] = Buffer.concat([last, bytes]);
      else this.pieces.push(bytes);
    }
    this.#atMs = nowMs;
  }

  get bytes(): number {
    return this.#bytes;
  }
}

/** On a line that is in use: nothing about it is changed, it is only heard along. */
export async function listenOnly(
  wire: Wire,
  options: ConnectionOptions,
  clock: Clock,
  { listen }: ProbeOptions,
  survey: Survey,
  signal: AbortSignal,
): Promise<void> {
  const heard = new Heard(clock);
  const take = (bytes: Buffer) => heard.take(bytes);
  survey.progress(0, 1, `listening to ${endpointOf(options)} as it is set`);
  wire.probes.add(take);
  try {
    await clock.sleep(listen, signal);
  } finally {
    wire.probes.delete(take);
  }
  const found = guess(heard.pieces);
  if (found) survey.found(finding(options, options.baudRate, found));
  else survey.found(silence(options, heard.bytes));
  survey.progress(1, 1, 'done');
}

export function finding(
  options: ConnectionOptions,
  baudRate: number | undefined,
  { score, text, connection, points, sample }: Guess,
): Finding {
  const speed = baudRate === undefined ? '' : ` at ${baudRate} baud`;
  return {
    id: `line/${baudRate ?? ''}`,
    kind: 'line',
    text: `${endpointOf(options)}${speed}: ${text}`,
    values: { baudRate: baudRate ?? null, looksLike: text, lastHeard: sample, points: points.length },
    score: Math.round(score * 100) / 100,
    proposes: {
      connection: { ...(baudRate === undefined ? {} : { baudRate }), ...connection },
      ...(points.length === 0 ? {} : { points }),
    },
  };
}

export function silence(options: ConnectionOptions, bytes: number): Finding {
  const what = bytes === 0 ? 'nothing was heard' : `only ${bytes} bytes were heard`;
  return {
    id: 'line/silent',
    kind: 'line',
    text: `${endpointOf(options)}: ${what}; a device that speaks only when asked cannot be told this way`,
    values: { baudRate: null, looksLike: null, lastHeard: null, points: 0 },
    score: 0,
  };
}
