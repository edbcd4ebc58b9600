/** A session for a probe or a scan alone: opens the port when it listens, at one speed after the other, and not before. */
import type { Host, Session, Survey } from '../../../src/contract/driver.ts';
import { formatDurationMs } from '../../../src/contract/duration.ts';
import { LinkLost } from '../../../src/contract/fault.ts';
import { isTcp } from '../../tty/settings.ts';
import { openStream } from '../../tty/stream.ts';
import { findUsb } from '../../tty/usb.ts';
import type { Address } from '../address.ts';
import { type ConnectionOptions, endpointOf, ttyOf } from '../settings.ts';
import { guess } from './guess.ts';
import { listPorts } from './list.ts';
import { finding, Heard, silence } from './probe.ts';
import type { ProbeOptions } from './settings.ts';

/** As sure as one gets: the other speeds need not be tried. */
const sureScore = 0.9;

export class TrialSession implements Session<Address> {
  readonly #options: ConnectionOptions;
  readonly #host: Host;
  readonly #closing = new AbortController();
  #listening: Promise<void> = Promise.resolve();

  constructor(options: ConnectionOptions, host: Host) {
    this.#options = options;
    this.#host = host;
  }

  async probe(options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    const running = this.#probe(options as ProbeOptions, survey, AbortSignal.any([signal, this.#closing.signal]));
    this.#listening = running.catch(() => {});
    await running;
  }

  async scan(_options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    await listPorts(survey, AbortSignal.any([signal, this.#closing.signal]));
  }

  async close(): Promise<void> {
    this.#closing.abort(new LinkLost('the session was closed'));
    await this.#listening;
  }

  async #probe({ listen, baudRates }: ProbeOptions, survey: Survey, signal: AbortSignal): Promise<void> {
    const own = this.#options.baudRate;
    const place = endpointOf(this.#options);
    // Behind a server that carries bytes alone, the speed is not ours to set.
    const rates = isTcp(place) ? [undefined] : [...new Set([...(own === undefined ? [] : [own]), ...baudRates])];
    let bytes = 0;
    let found = 0;
    for (const [index, baudRate] of rates.entries()) {
      survey.progress(
        index,
        rates.length,
        `listening to ${place}${baudRate === undefined ? '' : ` at ${baudRate} baud`} for ${formatDurationMs(listen)}`,
      );
      const heard = await survey.turn(place, (life) => this.#listen(baudRate, listen, AbortSignal.any([signal, life])));
      bytes += heard.bytes;
      const guessed = guess(heard.pieces);
      if (!guessed) continue;
      survey.found(finding(this.#options, baudRate, guessed));
      found += 1;
      if (guessed.score >= sureScore) break;
    }
    if (found === 0) survey.found(silence(this.#options, bytes));
    survey.progress(rates.length, rates.length, 'done');
  }

  async #listen(baudRate: number | undefined, listenMs: number, signal: AbortSignal): Promise<Heard> {
    const { clock } = this.#host;
    const heard = new Heard(clock);
    const ended = new AbortController();
    const path = this.#options.path ?? (await findUsb(this.#options.usb));
    const settings = ttyOf({ ...this.#options, ...(baudRate === undefined ? {} : { baudRate }) }, path);
    const port = await openStream(settings, { data: (bytes) => heard.take(bytes), lost: (error) => ended.abort(error) }, clock);
    try {
      await clock.sleep(listenMs, AbortSignal.any([signal, ended.signal]));
    } finally {
      await port.close();
    }
    return heard;
  }
}
