/** SLIP (RFC 1055) and COBS (Cheshire and Baker, 1999): bytes so spelt that one value is free to mean the end. */

export const slipEnd = 0xc0;
const slipEscape = 0xdb;
/** What stands behind the escape for the end and for itself. */
const [escapedEnd, escapedEscape] = [0xdc, 0xdd];

export function slipEncode(bytes: Uint8Array): Buffer {
  const spelt: number[] = [];
  for (const byte of bytes) {
    if (byte === slipEnd) spelt.push(slipEscape, escapedEnd);
    else if (byte === slipEscape) spelt.push(slipEscape, escapedEscape);
    else spelt.push(byte);
  }
  // An end before it too: whatever noise came in front is a frame of its own (RFC 1055, last paragraph).
  return Buffer.from([slipEnd, ...spelt, slipEnd]);
}

/** Undefined if an escape stands before something else than it may. */
export function slipDecode(bytes: Buffer): Buffer | undefined {
  const plain = Buffer.alloc(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes.readUInt8(i);
    if (byte === slipEscape) {
      i += 1;
      const next = bytes[i];
      if (next !== escapedEnd && next !== escapedEscape) return undefined;
      byte = next === escapedEnd ? slipEnd : slipEscape;
    }
    plain[length] = byte;
    length += 1;
  }
  return plain.subarray(0, length);
}

/** A block of COBS holds at most 254 bytes. */
const cobsBlockMax = 254;

export function cobsEncode(bytes: Uint8Array): Buffer {
  const spelt: number[] = [0];
  let codeAt = 0;
  let code = 1;
  for (const [index, byte] of bytes.entries()) {
    if (byte !== 0) {
      spelt.push(byte);
      code += 1;
    }
    // A full block at the very end needs none behind it.
    if (byte === 0 || (code === cobsBlockMax + 1 && index + 1 < bytes.length)) {
      spelt[codeAt] = code;
      codeAt = spelt.length;
      spelt.push(0);
      code = 1;
    }
  }
  spelt[codeAt] = code;
  return Buffer.from([...spelt, 0]);
}

/** Without the zero at the end; undefined if a block is longer than what came. */
export function cobsDecode(bytes: Buffer): Buffer | undefined {
  const plain = Buffer.alloc(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    const code = bytes.readUInt8(at);
    if (code === 0 || at + code > bytes.length) return undefined;
    bytes.copy(plain, length, at + 1, at + code);
    length += code - 1;
    at += code;
    if (code <= cobsBlockMax && at < bytes.length) {
      plain[length] = 0;
      length += 1;
    }
  }
  return plain.subarray(0, length);
}
