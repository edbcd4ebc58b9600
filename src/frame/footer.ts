/** The footer of an Arrow file: its schema, and where its one batch of rows is (Arrow columnar format, "IPC File Format"; `Footer` and `Block` of File.fbs). */
import { MetadataVersion, type Schema } from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { limits } from '../contract/limits.ts';

export interface Block {
  /** Where it begins in the file. */
  offset: number;
  metadataBytes: number;
  bodyBytes: number;
}

/** A footer that was made before, and where its `Block` stands in it. */
interface Known {
  bytes: Uint8Array;
  at: number;
}

/** Of the same series the same schema is asked again and again, and making one costs as much as all else of a small frame. Used longest ago first. */
const footers = new Map<string, Known>();

/** `says` is all that `schema` is made from. */
export function footerOf(says: string, schema: () => Schema, block: Block): Uint8Array {
  const known = footers.get(says);
  if (known) {
    footers.delete(says);
    footers.set(says, known);
    const bytes = known.bytes.slice();
    bytes.set(bytesOf(block), known.at);
    return bytes;
  }
  const { offset, metadataBytes, bodyBytes } = block;
  const bytes = Footer.encode(new Footer(schema(), MetadataVersion.V5, [new FileBlock(metadataBytes, bodyBytes, offset)], []));
  keep(says, bytes, block);
  return bytes;
}

function keep(says: string, bytes: Uint8Array, block: Block): void {
  if (says.length > limits.footerKnownTextMax) return;
  const wanted = bytesOf(block);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = all.indexOf(wanted);
  // A text that looks like it would be written over instead.
  if (at < 0 || at !== all.lastIndexOf(wanted)) return;
  const [oldest] = footers.keys();
  if (oldest !== undefined && footers.size >= limits.footersKnownMax) footers.delete(oldest);
  footers.set(says, { bytes: bytes.slice(), at });
}

/** A `Block` as it stands in the file: 64 bits, 32 bits and as many of padding, 64 bits. */
function bytesOf({ offset, metadataBytes, bodyBytes }: Block): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(offset), true);
  view.setInt32(8, metadataBytes, true);
  view.setBigInt64(16, BigInt(bodyBytes), true);
  return bytes;
}
