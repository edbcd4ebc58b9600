/** One message → readings of the points that live on its topic. The message is parsed at most once, whatever the number of points. */

import type { Point } from '../../src/contract/device.ts';
import type { Reading } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Reason, Value } from '../../src/contract/sample.ts';
import type { Address } from './address.ts';
import { compilePath, type Lookup, parsePath } from './path.ts';
import { decodeJson, decodeNumber, decodeText } from './payload.ts';
import { deviceTimeNs } from './time.ts';

export class Message {
  readonly payload: Buffer;
  readonly retained: boolean;
  #parsed: { document: unknown } | { fault: unknown } | undefined;

  constructor(payload: Buffer, retained: boolean) {
    this.payload = payload;
    this.retained = retained;
  }

  /** The document in it; throws the same error each time if there is none. */
  json(): unknown {
    this.#parsed ??= parse(this.payload);
    if ('fault' in this.#parsed) throw this.#parsed.fault;
    return this.#parsed.document;
  }
}

function parse(payload: Buffer): { document: unknown } | { fault: unknown } {
  try {
    return { document: decodeJson(payload) };
  } catch (fault) {
    return { fault };
  }
}

/** Reads one point out of messages of its topic. */
export interface Reader {
  readonly point: Point<Address>;
  /** Undefined if the message says nothing about the point. */
  read(message: Message): Reading<Address> | undefined;
  /** What is wrong with the device's time in the last message, if it should hold one. */
  clockTrouble: string | undefined;
}

export function compileReader(point: Point<Address>): Reader {
  const { address } = point;
  const lookup: Lookup = address.path === undefined ? (document) => document : compilePath(parsePath(address.path));
  const time = address.time === undefined ? undefined : compilePath(parsePath(address.time));
  const reader: Reader = { point, read, clockTrouble: undefined };
  return reader;

  function read(message: Message): Reading<Address> | undefined {
    const { retained } = message;
    try {
      if (message.payload.length > limits.payloadBytesMax) {
        throw new Error(`the payload has ${message.payload.length} bytes; at most ${limits.payloadBytesMax} are read`);
      }
      if (address.format === 'number') return { point, value: decodeNumber(message.payload), reason: '', retained };
      if (address.format === 'text') return { point, value: decodeText(message.payload), reason: '', retained };
      const document = message.json();
      const found = lookup(document);
      if (found === undefined && address.optional) return undefined;
      return { point, ...scalar(found, address.path), retained, ...(time === undefined ? {} : timeOf(time(document))) };
    } catch (error) {
      return { point, value: null, reason: 'decode', detail: messageOf(error), retained };
    }
  }

  function timeOf(found: unknown): { timeNs: bigint } | { timeUnreadable: true } {
    const timeNs = deviceTimeNs(found);
    reader.clockTrouble =
      typeof timeNs === 'string' ? `the time of the device at ${address.time} ${timeNs}; the time of arrival is used` : undefined;
    return typeof timeNs === 'bigint' ? { timeNs } : { timeUnreadable: true };
  }
}

/** What is at a path, as a value; JSON's null is a device's way to say that it has none. */
function scalar(found: unknown, path = '$'): { value: Value; reason: Reason; detail?: string } {
  switch (typeof found) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'string':
      return { value: found, reason: '' };
    case 'undefined':
      return { value: null, reason: 'decode', detail: `nothing is at ${path}` };
    default:
      return found === null
        ? { value: null, reason: 'sentinel', detail: `null is at ${path}` }
        : {
            value: null,
            reason: 'decode',
            detail: `${Array.isArray(found) ? 'a list' : 'an object'} is at ${path}; allowed is a number, text, true or false`,
          };
  }
}
