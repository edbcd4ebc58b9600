/** One message → readings of the points that live on its topic. A message is decoded at most once in each way, whatever the number of points. */
import type { Point } from '../../src/contract/device.ts';
import type { Reading } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { compilePath, type Lookup, parsePath } from '../../src/contract/json-path.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Address } from './address.ts';
import { compileMeaning, type Scalar } from './meanings.ts';
import { compileDecoder, type Decoder } from './payload/formats.ts';
import { decodeJson } from './payload/plain.ts';
import { deviceTimeNs, zoneOf } from './time.ts';

type Decoded = { document: unknown } | { fault: unknown };

const json: Decoder = { key: ':json', decode: decodeJson };

export class Message {
  readonly payload: Buffer;
  readonly retained: boolean;
  /** Nearly all messages are read in one way. */
  #firstKey: string | undefined;
  #first: Decoded | undefined;
  #others: Map<string, Decoded> | undefined;

  constructor(payload: Buffer, retained: boolean) {
    this.payload = payload;
    this.retained = retained;
  }

  /** The document in it; throws the same error each time if there is none. */
  document(decoder: Decoder = json): unknown {
    const decoded = this.#decoded(decoder);
    if ('fault' in decoded) throw decoded.fault;
    return decoded.document;
  }

  #decoded(decoder: Decoder): Decoded {
    if (this.#firstKey === undefined) {
      this.#firstKey = decoder.key;
      this.#first = decoded(decoder, this.payload);
    }
    if (this.#first && this.#firstKey === decoder.key) return this.#first;
    this.#others ??= new Map();
    const known = this.#others.get(decoder.key) ?? decoded(decoder, this.payload);
    this.#others.set(decoder.key, known);
    return known;
  }
}

function decoded(decoder: Decoder, payload: Buffer): Decoded {
  try {
    return { document: decoder.decode(payload) };
  } catch (fault) {
    return { fault };
  }
}

/** Reads one point out of messages of its topic. */
export interface Reader {
  readonly point: Point<Address>;
  /** What the message says about the point: nothing, one reading, or as many as its batch has. */
  read(message: Message): readonly Reading<Address>[];
  /** What is wrong with the device's time in the last message, if it should hold one. */
  clockTrouble: string | undefined;
}

const nothing: readonly Reading<Address>[] = [];

const compiled = (path: string | undefined): Lookup | undefined => (path === undefined ? undefined : compilePath(parsePath(path)));

export function compileReader(point: Point<Address>): Reader {
  const { address } = point;
  const decoder = compileDecoder(address);
  const lookup: Lookup = compiled(address.path) ?? ((document) => document);
  const time = compiled(address.time);
  const zone = address.timezone === undefined ? undefined : zoneOf(address.timezone);
  const each = compiled(address.each);
  const mean = compileMeaning(address);
  const conditions = Object.entries(address.where ?? {}).map(([path, wanted]) => ({ lookup: compilePath(parsePath(path)), wanted }));
  const reader: Reader = { point, read, clockTrouble: undefined };
  return reader;

  function read(message: Message): readonly Reading<Address>[] {
    const { retained, payload } = message;
    // An empty text is a text. Else it is how a broker is told to forget what it keeps: there is no value any more.
    if (payload.length === 0 && address.format !== 'text')
      return [{ point, value: null, reason: 'sentinel', detail: 'the message is empty: what was said before is taken back', retained }];
    try {
      if (payload.length > limits.payloadBytesMax) {
        throw new Error(`the payload has ${payload.length} bytes; at most ${limits.payloadBytesMax} are read`);
      }
      const document = message.document(decoder);
      if (!each) {
        const reading = readOne(document, retained);
        return reading ? [reading] : nothing;
      }
      const list = each(document);
      if (list === undefined && address.optional) return nothing;
      if (!Array.isArray(list)) throw new Error(`${list === undefined ? 'nothing' : 'no list'} is at ${address.each}`);
      if (list.length > limits.mqttBatchMax)
        throw new Error(`the list at ${address.each} has ${list.length} elements; at most ${limits.mqttBatchMax} are read`);
      return list.flatMap((element) => readOne(element, retained) ?? []);
    } catch (error) {
      return [{ point, value: null, reason: 'decode', detail: messageOf(error), retained }];
    }
  }

  function readOne(document: unknown, retained: boolean): Reading<Address> | undefined {
    for (const condition of conditions) if (condition.lookup(document) !== condition.wanted) return undefined;
    const found = lookup(document);
    if (found === undefined && address.optional) return undefined;
    return {
      point,
      ...mean(scalar(found, address.path)),
      retained,
      ...(time === undefined ? {} : timeOf(time(document))),
    };
  }

  function timeOf(found: unknown): { timeNs?: bigint; timeUnreadable?: true } {
    // A line of Influx need not have a time.
    if (found === undefined && address.format === 'influx') return {};
    const timeNs = deviceTimeNs(found, address.timeUnit, zone);
    reader.clockTrouble =
      typeof timeNs === 'string' ? `the time of the device at ${address.time} ${timeNs}; the time of arrival is used` : undefined;
    return typeof timeNs === 'bigint' ? { timeNs } : { timeUnreadable: true };
  }
}

/** What is at a path, as a value; JSON's null is a device's way to say that it has none. */
function scalar(found: unknown, path = '$'): Scalar {
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
