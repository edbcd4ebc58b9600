/** A TCP or TLS connection to a Modbus endpoint, and in words why there is none. */
import { isIP, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';

export interface Target {
  host: string;
  port: number;
  /** Modbus/TCP Security (MB-TCP-Security V2.1): the same frames inside TLS, both sides with certificates. */
  tls?: {
    verify: boolean;
    serverName?: string | undefined;
    ca?: string | undefined;
    cert?: string | undefined;
    key?: string | undefined;
    passphrase?: string | undefined;
  };
}

/** What comes over an open socket; the first time, what has come before. The bytes are the taker's own. */
export type Hear = (take: (bytes: Buffer) => void) => void;

export interface Dialled {
  /** Without listeners of its own; it says nothing before the caller's next step. */
  socket: Socket;
  hear: Hear;
}

export function dial(target: Target, signal: AbortSignal): Promise<Dialled> {
  const { host, port } = target;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(givenUp(target, signal));
    let socket: Socket | TLSSocket;
    let hear: Hear;
    try {
      if (target.tls) {
        const secure = openTls(target, target.tls);
        socket = secure;
        hear = (take) => void secure.on('data', take);
      } else ({ socket, hear } = openPlain(host, port));
    } catch (error) {
      // The library reads key and certificates before it sends anything.
      return reject(new Error(`${host}:${port}: the secrets for TLS cannot be used: ${messageOf(error)}`, { cause: error }));
    }
    const settle = () => {
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
      socket.removeListener('close', closed);
    };
    const fail = (error: Error) => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const closed = () => fail(new Error(`${host}:${port} closed the connection while it was being opened`));
    const abort = () => fail(givenUp(target, signal, target.tls !== undefined && !socket.connecting));
    socket.once('error', (error) => fail(new Error(inWords(error, target), { cause: error })));
    socket.once('close', closed);
    signal.addEventListener('abort', abort, { once: true });
    socket.once(target.tls ? 'secureConnect' : 'connect', () => {
      settle();
      socket.removeAllListeners('error');
      resolve({ socket, hear });
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, limits.tcpKeepAliveMs);
  });
}

/** Reads into one buffer, again and again: a stream's own way makes a new one, of 64 KiB, for every answer. */
function openPlain(host: string, port: number): Dialled {
  let taker: ((bytes: Buffer) => void) | undefined;
  const early: Buffer[] = [];
  const socket = new Socket({
    onread: {
      buffer: Buffer.allocUnsafeSlow(limits.modbusReceiveBytes),
      callback(count, buffer) {
        const bytes = Buffer.from(buffer.subarray(0, count));
        if (taker) taker(bytes);
        else early.push(bytes);
        // Until somebody listens no more is read.
        return taker !== undefined;
      },
    },
  });
  const hear: Hear = (take) => {
    taker = take;
    for (const bytes of early.splice(0)) take(bytes);
    socket.resume();
  };
  return { socket: socket.connect({ host, port }), hear };
}

function openTls({ host, port }: Target, tls: NonNullable<Target['tls']>): TLSSocket {
  const { verify, serverName = isIP(host) ? undefined : host, ca, cert, key, passphrase } = tls;
  return connectTls({
    host,
    port,
    // At least 1.2 (R-01 of the specification).
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verify,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

function givenUp({ host, port }: Target, signal: AbortSignal, withoutTls = false): Error {
  const hint = withoutTls ? '; the connection was taken, but TLS never began: is it the right port?' : '';
  return new Error(`opening ${host}:${port} was given up: ${messageOf(signal.reason)}${hint}`, { cause: signal.reason });
}

const unknownCa = 'the certificate is signed by an unknown CA; put the CA into the secret "ca"';
const notTls = 'the other end does not speak TLS; is it the right port?';
const tlsWords: Record<string, string> = {
  EPROTO: notTls,
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name (set "serverName" of the transport if that is right)',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet; is the clock right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed; put it, or its CA, into the secret "ca"',
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
};

function inWords(error: NodeJS.ErrnoException, { host, port, tls }: Target): string {
  const known = tls && error.code !== undefined ? tlsWords[error.code] : undefined;
  if (known !== undefined) return `${host}:${port}: ${known}`;
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
      return `${host}:${port} could not be opened: ${linkWords(error)}`;
  }
}

/** Of a link that broke. With TLS 1.3 the other end judges our certificate only after the connection stands. */
export function linkWords(error: unknown): string {
  const message = messageOf(error);
  if (/alert.*certificate required|peer did not return a certificate/i.test(message))
    return 'the other end asks for a certificate of ours; put it into the secrets "cert" and "key"';
  if (/alert.*(unknown ca|bad certificate|certificate unknown)/i.test(message))
    return 'the other end does not accept our certificate (secret "cert")';
  return message;
}
