/** One TCP link to a Modbus endpoint: connects, frames, and says once when it is gone. No retry, no timer. */
import { Socket } from 'node:net';
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Link, LinkEvents, Overdue } from './link.ts';
import { makeFrame, takeFrame } from './mbap.ts';

/** Rejects with words when nobody listens, the name is unknown, or the signal is aborted. */
export function connectTcp(host: string, port: number, clock: Clock, events: LinkEvents, signal: AbortSignal): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = new Socket();
    const silence = { requests: 0, heardAtMs: clock.monotonicMs() };
    const gone = new Promise<void>((done) => socket.once('close', () => done()));
    let received: Buffer = Buffer.alloc(0);
    let state: 'opening' | 'open' | 'over' = 'opening';
    let cause: unknown;

    const end = (error: unknown) => {
      const before = state;
      state = 'over';
      signal.removeEventListener('abort', abort);
      socket.destroy();
      if (before === 'opening') reject(error instanceof Error ? error : new Error(messageOf(error)));
      if (before === 'open')
        events.lost(error instanceof LinkLost ? error : new LinkLost(`${host}:${port}: ${messageOf(error)}`, { cause: error }));
    };
    const abort = () => end(new Error(`opening ${host}:${port} was given up: ${messageOf(signal.reason)}`, { cause: signal.reason }));

    const overdue = (): Overdue => {
      silence.requests++;
      const silentMs = clock.monotonicMs() - silence.heardAtMs;
      if (received.length > 0) {
        // Part of a frame and then nothing: where the next one begins is not known any more.
        end(new LinkLost(`${host}:${port}: an answer broke off in the middle`));
      } else if (silence.requests >= limits.modbusSilentRequestsMax && silentMs >= limits.modbusSilentMs) {
        const since = `not a byte in ${Math.round(silentMs / 1_000)} s`;
        end(new LinkLost(`${host}:${port}: ${since}, although ${silence.requests} requests were sent`));
      }
      return { kind: 'timeout' };
    };

    socket.on('error', (error) => {
      cause = error;
      end(state === 'opening' ? new Error(inWords(error, host, port), { cause: error }) : error);
    });
    // 'end' needs no listener: a half-closed socket is closed by Node (allowHalfOpen is false), and 'close' follows.
    socket.on('close', () => end(cause ?? new Error('the other end closed the connection')));
    socket.on('data', (data) => {
      silence.requests = 0;
      silence.heardAtMs = clock.monotonicMs();
      received = received.length === 0 ? data : Buffer.concat([received, data]);
      try {
        for (let taken = takeFrame(received); taken; taken = takeFrame(received)) {
          received = taken.rest;
          events.frame(taken.frame);
        }
      } catch (error) {
        received = Buffer.alloc(0);
        end(error);
      }
    });
    socket.once('connect', () => {
      if (state !== 'opening') return;
      state = 'open';
      signal.removeEventListener('abort', abort);
      resolve({
        name: `${host}:${port}`,
        send(transaction, unitAndPdu) {
          if (state !== 'open') return undefined;
          socket.write(makeFrame(transaction, unitAndPdu));
          return { wireMs: 0 };
        },
        overdue,
        async close() {
          state = 'over';
          socket.destroy();
          await gone;
        },
      });
    });

    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limits.tcpKeepAliveMs);
    socket.connect({ host, port });
  });
}

function inWords(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${host}:${port} refused the connection: nothing listens on this port`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${host} could not be resolved (${error.code})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${host}:${port} cannot be reached from here (${error.code})`;
    case 'ETIMEDOUT':
      return `${host}:${port} did not answer the connection attempt (${error.code})`;
    default:
      return `${host}:${port} could not be opened: ${messageOf(error)}`;
  }
}
