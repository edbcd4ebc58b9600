/** Texts: each different one is kept once, and for each row which of them it is. A lone surrogate becomes U+FFFD, as in every UTF-8. */
import type { ByteReader, ByteWriter } from './bytes.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  const places = new Map<string, number>();
  const rows = texts.map((text) => {
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  });
  writer.varint(places.size);
  for (const text of places.keys()) {
    const bytes = encoder.encode(text);
    writer.varint(bytes.length);
    writer.run(bytes);
  }
  for (const place of rows) writer.varint(place);
}

export function readTexts(reader: ByteReader, count: number): string[] {
  const different = Array.from({ length: reader.varint() }, () => decoder.decode(reader.run(reader.varint())));
  return Array.from({ length: count }, () => {
    const text = different[reader.varint()];
    if (text === undefined) throw new RangeError('a row names a text that is not there');
    return text;
  });
}
