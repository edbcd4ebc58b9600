/** Payloads of Sparkplug B as this edge node needs them, by their public field numbers: metrics to be written, commands to be read. Shares nothing with the driver. */

export interface SaidMetric {
  name?: string;
  alias?: number;
  /** The number of its data type, in births. */
  type?: number;
  value: { uint: number } | { float: number } | { flag: boolean } | { text: string };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return [...bytes, left];
}

const number = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)]);
const framed = (field: number, bytes: Buffer) => Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes]);

function valueBytes(value: SaidMetric['value']): Buffer {
  if ('uint' in value) return number(11, value.uint);
  if ('flag' in value) return number(14, value.flag ? 1 : 0);
  if ('text' in value) return framed(15, Buffer.from(value.text));
  const bytes = Buffer.alloc(5);
  bytes[0] = 12 * 8 + 5;
  bytes.writeFloatLE(value.float, 1);
  return bytes;
}

/** `seq` is absent in a last will. */
export function payloadOf(metrics: readonly SaidMetric[], atMs: number, seq?: number): Buffer {
  const parts = metrics.map(({ name, alias, type, value }) =>
    framed(
      2,
      Buffer.concat([
        ...(name === undefined ? [] : [framed(1, Buffer.from(name))]),
        ...(alias === undefined ? [] : [number(2, alias)]),
        number(3, atMs),
        ...(type === undefined ? [] : [number(4, type)]),
        valueBytes(value),
      ]),
    ),
  );
  return Buffer.concat([number(1, atMs), ...parts, ...(seq === undefined ? [] : [number(3, seq)])]);
}

export interface Ordered {
  name?: string;
  alias?: number;
  value?: number | boolean;
}

/** The metrics of a command; none if it cannot be read. */
export function ordersIn(payload: Buffer): Ordered[] {
  try {
    return fieldsOf(payload).flatMap(({ field, bytes }) => (field === 2 && bytes ? [orderIn(bytes)] : []));
  } catch {
    return [];
  }
}

function orderIn(bytes: Buffer): Ordered {
  const order: Ordered = {};
  for (const { field, value, bytes: inner } of fieldsOf(bytes)) {
    if (field === 1 && inner) order.name = inner.toString();
    else if (field === 2) order.alias = value;
    else if (field === 14) order.value = value !== 0;
    else if (field === 12 && inner) order.value = inner.readFloatLE();
  }
  return order;
}

function fieldsOf(bytes: Buffer): { field: number; value: number; bytes?: Buffer }[] {
  const fields: { field: number; value: number; bytes?: Buffer }[] = [];
  let at = 0;
  const read = () => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('cut off');
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = read();
    const field = Math.floor(tag / 8);
    const lengths: Record<number, () => number> = { 1: () => 8, 2: read, 5: () => 4 };
    const length = lengths[tag % 8];
    if (!length) fields.push({ field, value: read() });
    else {
      const end = length() + at;
      if (end > bytes.length) throw new Error('cut off');
      fields.push({ field, value: 0, bytes: bytes.subarray(at, end) });
      at = end;
    }
  }
  return fields;
}
