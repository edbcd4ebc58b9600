/**
 * Byte orders. The letters are the bytes of the value, A the most significant; the order says how they lie on the wire, first byte first.
 * Modbus fixes only the order within one register (Application Protocol V1.1b3 §4.2: big-endian); how a longer value is spread over
 * registers is each maker's own choice, and some turn even the bytes of a register round.
 */

export const orders16 = ['AB', 'BA'] as const;
export const orders32 = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
/** All eight that come from turning round, each or not: the two halves, the registers of a half, the bytes of a register. */
export const orders64 = ['ABCDEFGH', 'GHEFCDAB', 'BADCFEHG', 'HGFEDCBA', 'EFGHABCD', 'CDABGHEF', 'FEHGBADC', 'DCBAHGFE'] as const;
export const orders = [...orders16, ...orders32, ...orders64] as const;
export type Order = (typeof orders)[number];

/** The orders a value of this many bytes may have; the first is the usual one. */
export function ordersOf(bytes: number): readonly [Order, ...Order[]] {
  if (bytes === 8) return orders64;
  return bytes === 4 ? orders32 : orders16;
}

/** Whether the bytes come most significant first. */
export function isStraight(order: Order): boolean {
  return order === 'AB' || order === 'ABCD' || order === 'ABCDEFGH';
}

/** Wire bytes, from `offset` on → the value's bytes, most significant first. */
export function straighten(wire: Uint8Array, offset: number, order: Order): Buffer {
  const straight = Buffer.alloc(order.length);
  for (let place = 0; place < order.length; place++) straight[order.charCodeAt(place) - 65] = wire[offset + place] ?? 0;
  return straight;
}

/** The value's bytes, most significant first → wire bytes. */
export function arrange(straight: Uint8Array, order: Order): Buffer {
  const wire = Buffer.alloc(order.length);
  for (let place = 0; place < order.length; place++) wire[place] = straight[order.charCodeAt(place) - 65] ?? 0;
  return wire;
}

/** Turns the bytes of every register round; its own opposite. */
export function swapPairs(bytes: Uint8Array): Buffer {
  const swapped = Buffer.alloc(bytes.length);
  for (let place = 0; place < bytes.length; place++) swapped[place] = bytes[place ^ 1] ?? 0;
  return swapped;
}
