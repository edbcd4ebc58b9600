/** From what a handler answers to the parts of an HTTP answer. */
import type { Fault } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import { problemContentType, problemOf } from '../../contract/problem.ts';
import type { ResourcePart } from '../questions.ts';
import type { Reply } from './ask.ts';

export type Send = (part: ResourcePart) => Promise<void>;

/** Sends the whole answer; `head` only status and headers. Rejects when the reader is gone or what makes a stream fails. */
export async function sendReply(reply: Reply, head: boolean, send: Send): Promise<void> {
  if ('stream' in reply) {
    // The first part has no body, so that the reader knows at once that it is answered.
    await send(part(200, { ...headers(reply.type), ...reply.headers }, ''));
    if (!head) await reply.stream((bytes) => sendSlices(bytes, send));
    return;
  }
  if ('text' in reply) {
    const { status = 200, type, text } = reply;
    return await send(part(status, { ...headers(type), ...reply.headers }, head ? '' : text));
  }
  const { status = 200, body, fault } = reply;
  if (fault) return await sendProblem(fault, send, head, body);
  await send(part(status, headers('application/json'), head ? '' : json(body)));
}

/** RFC 9457. Members of `body` come beside those of the fault. */
export function sendProblem(fault: Fault, send: Send, head: boolean, body: unknown = {}): Promise<void> {
  const allow = fault.status === 405 ? { allow: String(fault.extra.allow) } : {};
  const text = head ? '' : json({ ...(body as object), ...problemOf(fault) });
  return send(part(fault.status, { ...headers(problemContentType), ...allow }, text));
}

/** 64-bit integers are strings of digits: a JSON number is read as a double. */
export function json(body: unknown): string {
  return JSON.stringify(body, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/** One message of gRPC is held whole on both sides. */
async function sendSlices(bytes: Uint8Array, send: Send): Promise<void> {
  for (let at = 0; at < bytes.length; at += limits.partBytesMax) {
    await send({ status: 200, headers: {}, body: bytes.subarray(at, at + limits.partBytesMax) });
  }
}

function part(status: number, named: Record<string, string>, text: string): ResourcePart {
  return { status, headers: named, body: Buffer.from(text) };
}

function headers(contentType: string): Record<string, string> {
  return { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}
