/** The TCP connection to a device server. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../src/contract/clock.ts';
import { LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { PortEvents, Stream } from './port-stream.ts';

/** Rejects with what is wrong, in words. `name` is `tcp://host:port`, or with another scheme before the same. */
export async function openSocket(name: string, events: PortEvents, clock: Clock): Promise<Stream> {
  const socket = await dial(name, clock);
  let over = false;
  const gone = Promise.withResolvers<void>();
  const lose = (why: string, cause?: unknown) => {
    if (over) return;
    over = true;
    socket.destroy();
    events.lost(new LinkLost(`${name} ${why}`, { cause }));
  };
  socket.on('data', (bytes) => over || events.data(bytes));
  socket.on('error', (error) => lose(`is gone: ${messageOf(error)}`, error));
  socket.once('close', () => {
    gone.resolve();
    lose('is gone: the other end closed the connection');
  });
  return {
    write: (bytes) =>
      new Promise((resolve) => {
        if (over) return resolve();
        const cancel = clock.after(limits.ttyWriteMs, () => lose(`took no bytes for ${limits.ttyWriteMs / 1_000} s`));
        const done = () => {
          cancel();
          socket.off('close', done);
          resolve();
        };
        socket.once('close', done);
        socket.write(bytes, done);
      }),
    discard: () => Promise.resolve(),
    close() {
      over = true;
      socket.destroy();
      return gone.promise;
    },
  };
}

function dial(name: string, clock: Clock): Promise<Socket> {
  const match = /^[a-z0-9]+:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(name);
  const [host, port] = [match?.[1] ?? match?.[2] ?? '', Number(match?.[3])];
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: limits.tcpKeepAliveMs });
    const fail = (words: string, cause?: unknown) => {
      cancel();
      socket.destroy();
      reject(new Error(`${name}: ${words}`, { cause }));
    };
    const cancel = clock.after(limits.tcpConnectMs, () =>
      fail(`no answer in ${limits.tcpConnectMs / 1_000} s; is the address right, and is the device server on?`),
    );
    socket.once('error', (error: NodeJS.ErrnoException) => fail(wordsOf(error, port), error));
    socket.once('connect', () => {
      cancel();
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function wordsOf(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'ECONNREFUSED') return `refused; nothing listens on port ${port} there, or it serves somebody else`;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return 'the host name is not known';
  if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return 'there is no way to that address';
  return messageOf(error);
}
