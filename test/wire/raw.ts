/** gRPC spoken by hand over Node's HTTP/2: for what a proper client would never send, and for a far end that does not read. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import type { Plugin } from './plugin.ts';

export function session(plugin: Plugin): ClientHttp2Session {
  const made = connect('http://unused', { createConnection: () => socket(plugin) });
  made.on('error', () => undefined);
  return made;
}

export function socket(plugin: Plugin): Socket {
  const made = connectSocket(plugin.fields[3] ?? '');
  made.on('error', () => undefined);
  return made;
}

/** One call with these bytes as its body, headers changed as asked. The stream is not read. */
export function call(over: ClientHttp2Session, path: string, body: Uint8Array, headers: Record<string, string> = {}): ClientHttp2Stream {
  const stream = over.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
  stream.on('error', () => undefined);
  stream.end(body);
  return stream;
}

/** The gRPC status of a call, or `undefined` if the stream ended without one. */
export function grpcStatus(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((done) => {
    let status: number | undefined;
    const see = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
    };
    stream.on('response', see);
    stream.on('trailers', see);
    stream.on('close', () => done(status));
    stream.resume();
  });
}

/** A message as gRPC frames it. */
export function framed(message: Uint8Array, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed ? 1 : 0, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A protobuf field of bytes or text with a number below 16 and a length below 128. */
export function field(number: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, Buffer.byteLength(text)]), Buffer.from(text)]);
}
