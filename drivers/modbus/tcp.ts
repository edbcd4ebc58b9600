/** Modbus TCP over an open socket: frames, and says once when it is gone. No retry, no timer. */
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import { dial, linkWords, type Target } from './dial.ts';
import type { Link, LinkEvents, Overdue } from './link.ts';
import { makeFrame, takeFrame } from './mbap.ts';

/** Rejects with words when nobody listens, the name is unknown, TLS fails, or the signal is aborted. */
export async function connectTcp(target: Target, clock: Clock, events: LinkEvents, signal: AbortSignal): Promise<Link> {
  const name = `${target.host}:${target.port}`;
  const { socket, hear } = await dial(target, signal);
  const silence = { requests: 0, heardAtMs: clock.monotonicMs() };
  const gone = new Promise<void>((done) => socket.once('close', () => done()));
  let received: Buffer = Buffer.alloc(0);
  let over = false;
  let heard = false;
  let cause: unknown;

  const end = (error: unknown) => {
    if (over) return;
    over = true;
    socket.destroy();
    events.lost(error instanceof LinkLost ? error : new LinkLost(`${name}: ${linkWords(error)}`, { cause: error }));
  };

  socket.on('error', (error) => {
    cause = error;
    end(error);
  });
  // 'end' needs no listener: a half-closed socket is closed by Node (allowHalfOpen is false), and 'close' follows.
  socket.on('close', () => {
    // With TLS 1.3 our certificate is judged after the connection stands, and some just hang up.
    const hint = target.tls && !heard ? ' before it said anything: does it accept our certificate (secrets "cert" and "key")?' : '';
    end(cause ?? new Error(`the other end closed the connection${hint}`));
  });
  hear((data) => {
    heard = true;
    silence.requests = 0;
    silence.heardAtMs = clock.monotonicMs();
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    try {
      for (let taken = takeFrame(received); taken; taken = takeFrame(received)) {
        received = taken.rest;
        events.frame(taken.frame);
      }
    } catch (error) {
      const junk = received;
      received = Buffer.alloc(0);
      events.stray(junk, 'no Modbus TCP', 'framing');
      end(error);
    }
  });

  const overdue = (): Overdue => {
    silence.requests++;
    const silentMs = clock.monotonicMs() - silence.heardAtMs;
    if (received.length > 0) {
      // Part of a frame and then nothing: where the next one begins is not known any more.
      events.stray(received, 'an answer that broke off', 'framing');
      end(new LinkLost(`${name}: an answer broke off in the middle`));
    } else if (silence.requests >= limits.modbusSilentRequestsMax && silentMs >= limits.modbusSilentMs) {
      const since = `not a byte in ${Math.round(silentMs / 1_000)} s`;
      end(new LinkLost(`${name}: ${since}, although ${silence.requests} requests were sent`));
    }
    return { kind: 'timeout' };
  };

  return {
    name,
    send(transaction, unitAndPdu) {
      if (over) return undefined;
      const bytes = makeFrame(transaction, unitAndPdu);
      socket.write(bytes);
      return { wireMs: 0, bytes };
    },
    overdue,
    async close() {
      over = true;
      socket.destroy();
      await gone;
    },
  };
}
