/** Sizes of MQTT packets in a stream of bytes, before anything holds or parses them (MQTT 5 §2.1). */

/** Takes chunk after chunk; answers the size of the first packet that is larger than `bytesMax`, else undefined. */
export type PacketGate = (chunk: Uint8Array) => number | undefined;

export function packetGate(bytesMax: number): PacketGate {
  /** Bytes of the current packet's body still to come. */
  let body = 0;
  /** Bytes of the current header seen: 0 none, 1 the type, then up to 4 of the length. */
  let header = 0;
  let length = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (body > 0) {
        const skipped = Math.min(body, chunk.length - at);
        body -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      if (header === 0) {
        header = 1;
        length = 0;
        continue;
      }
      length += (byte & 0x7f) * 128 ** (header - 1);
      header++;
      if (length > bytesMax) return length;
      // A fifth length byte is a protocol error, which the parser reports; here it only ends the header.
      if ((byte & 0x80) === 0 || header > 4) {
        body = length;
        header = 0;
      }
    }
    return undefined;
  };
}
