/** What a message is: bytes → a document whose places paths name. One line a format; each decoder has a file beside this one. */
import type { Address } from '../address.ts';
import { readBinary } from './binary.ts';
import { decodeCsv } from './csv.ts';
import { decodeInflux } from './influx.ts';
import { decodeCbor, decodeMessagePack, unwrap } from './packed.ts';
import { decodePairs } from './pairs.ts';
import { decodeJson, decodeNumber, decodeText } from './plain.ts';

/** Every format with its line of help. */
export const formats = {
  json: 'JSON (RFC 8259)',
  number: 'one decimal number',
  text: 'the payload as it is, UTF-8',
  csv: 'comma-separated lines (RFC 4180): a list of lines, $[0][2], or with "header" by name, $[0].temp',
  keyvalue: 'pairs such as temp=21.5 state="on air": $.temp',
  influx: 'InfluxDB line protocol: $.fields.temp, $.tags.room, $.measurement of each line',
  cbor: 'CBOR (RFC 8949), places as in JSON',
  messagepack: 'MessagePack, places as in JSON',
  binary: 'bytes by layout, see "binary"',
} as const;
export type Format = keyof typeof formats;
export const formatNames = Object.keys(formats) as [Format, ...Format[]];

/** Formats whose document has places: where `path`, `time`, `each` and `where` make sense. */
export const documentFormats: ReadonlySet<Format> = new Set(['json', 'csv', 'keyvalue', 'influx', 'cbor', 'messagepack']);

export interface Decoder {
  /** The same for all points that read the same document out of a message, so that it is decoded once. */
  readonly key: string;
  decode(payload: Buffer): unknown;
}

type Words = Pick<Address, 'format' | 'unpack' | 'csv' | 'binary'>;

export function compileDecoder({ format, unpack, csv, binary }: Words): Decoder {
  const decode = bare({ format, unpack, csv, binary });
  const key = `${unpack.join('+')}:${format}${format === 'csv' ? JSON.stringify(csv) : ''}${format === 'binary' ? JSON.stringify(binary) : ''}`;
  return { key, decode: unpack.length === 0 ? decode : (payload) => decode(unwrap(payload, unpack)) };
}

function bare({ format, csv, binary }: Words): (payload: Buffer) => unknown {
  switch (format) {
    case 'json':
      return decodeJson;
    case 'number':
      return decodeNumber;
    case 'text':
      return decodeText;
    case 'csv':
      return (payload) => decodeCsv(payload, csv);
    case 'keyvalue':
      return decodePairs;
    case 'influx':
      return decodeInflux;
    case 'cbor':
      return decodeCbor;
    case 'messagepack':
      return decodeMessagePack;
    case 'binary':
      return (payload) => readBinary(payload, binary ?? { offset: 0, type: 'uint8', order: 'big' });
  }
}
