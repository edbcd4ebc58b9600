/** Binary documents (CBOR, MessagePack) → the same kind of document JSON gives, and bytes that were wrapped (base64, gzip) → bytes. */
import { unzipSync } from 'node:zlib';
import { decode as decodeMessagePackDocument, ExtensionCodec } from '@msgpack/msgpack';
import { decode as decodeCborDocument } from 'cborg';
import { limits } from '../../../src/contract/limits.ts';
import { exact, is64Bit } from './plain.ts';

/** Deeper documents are a mistake or an attack. */
const depthMax = 64;

/** RFC 8949. A tag says what something means; what it means here is for the point to say, so the content alone is kept (bignums as numbers). */
export function decodeCbor(payload: Buffer): unknown {
  let document: unknown;
  try {
    document = decodeCborDocument(payload, { useMaps: true, tags: contents });
  } catch {
    throw new Error(payload.length === 0 ? 'the payload is empty, expected is CBOR' : 'the payload is not CBOR');
  }
  return plain(document, 0);
}

type Content = () => unknown;
const bignum = (sign: bigint) => (content: Content) => {
  const bytes = content();
  if (!(bytes instanceof Uint8Array) || bytes.length > 8) throw new Error('is no 64-bit integer');
  const magnitude = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return sign > 0n ? magnitude : -1n - magnitude;
};
const known: Record<string, (content: Content) => unknown> = { 2: bignum(1n), 3: bignum(-1n) };
const contents = new Proxy<Record<number, (content: Content) => unknown>>(
  {},
  { get: (_, tag) => known[String(tag)] ?? ((content: Content) => content()) },
);

const nanosPerSecond = 1_000_000_000n;
/** A timestamp (extension -1) becomes nanoseconds since 1970; other extensions are their bytes. */
const extensions = new ExtensionCodec();
extensions.register({
  type: -1,
  encode: () => null,
  decode(data) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (data.length === 4) return BigInt(view.getUint32(0)) * nanosPerSecond;
    if (data.length === 8) {
      const both = view.getBigUint64(0);
      return (both & 0x3ffffffffn) * nanosPerSecond + (both >> 34n);
    }
    if (data.length === 12) return view.getBigInt64(4) * nanosPerSecond + BigInt(view.getUint32(0));
    throw new Error('is no timestamp');
  },
});

export function decodeMessagePack(payload: Buffer): unknown {
  let document: unknown;
  try {
    document = decodeMessagePackDocument(payload, { useBigInt64: true, extensionCodec: extensions });
  } catch {
    throw new Error(payload.length === 0 ? 'the payload is empty, expected is MessagePack' : 'the payload is not MessagePack');
  }
  return plain(document, 0);
}

/** Whole numbers a double holds are numbers, maps are objects by the text of their keys, bytes are hexadecimal text. */
function plain(value: unknown, depth: number): unknown {
  if (depth > depthMax) throw new Error(`the payload is nested more than ${depthMax} deep`);
  if (typeof value === 'bigint') return is64Bit(value) ? exact(value) : Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map((one) => plain(one, depth + 1));
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one, depth + 1)]));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one, depth + 1)]));
  return value;
}

export type Wrapping = 'base64' | 'gzip';

/** Takes off what the bytes are wrapped in, the outermost first. */
export function unwrap(payload: Buffer, wrappings: readonly Wrapping[]): Buffer {
  let bytes = payload;
  for (const wrapping of wrappings) bytes = wrapping === 'base64' ? fromBase64(bytes) : inflated(bytes);
  return bytes;
}

const base64Pattern = /^[A-Za-z0-9+/_-]*={0,2}$/;

function fromBase64(payload: Buffer): Buffer {
  const text = payload.toString('latin1').replaceAll(/\s/g, '');
  if (text === '' || !base64Pattern.test(text)) throw new Error('the payload is not base64');
  return Buffer.from(text, 'base64');
}

function inflated(payload: Buffer): Buffer {
  try {
    // Gzip or zlib, as the first bytes say. Without the bound 64 KiB could become 64 MiB.
    return unzipSync(payload, { maxOutputLength: limits.mqttUnpackedBytesMax });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw new Error(`the payload is larger than ${limits.mqttUnpackedBytesMax} bytes when it is unpacked`);
    throw new Error('the payload is not gzip');
  }
}
