/** A wire for Modbus/TCP between the plugin and a simulated controller that can be made bad in the ways alert rules watch for. */
import { connect, createServer, type Socket } from 'node:net';

export interface FaultyWire {
  port: number;
  /** Every answer comes so much later. */
  delayMs: number;
  /** Input registers read as 0x8000, which the settings of the demo call invalid. */
  spoilsInputs: boolean;
  /** Requests that write get no answer. */
  swallowsWrites: boolean;
  /** Ends all connections and takes no new one until it is mended. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

const readInputs = 4;
const writes = [5, 6, 15, 16];
/** Of the MBAP header: transaction, protocol and length come before what the length counts. */
const lengthAt = 4;
const headBytes = 6;
const functionAt = 7;

export async function startFaultyWire(upstreamPort: number): Promise<FaultyWire> {
  let isCut = false;
  const open = new Set<Socket>();
  const wire = { delayMs: 0, spoilsInputs: false, swallowsWrites: false };
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(upstreamPort, '127.0.0.1');
    for (const socket of [near, far]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    eachFrame(near, (frame) => {
      if (!(wire.swallowsWrites && writes.includes(frame[functionAt] ?? 0))) far.write(frame);
    });
    eachFrame(far, (frame) => {
      if (wire.spoilsInputs && frame[functionAt] === readInputs) frame.writeInt16BE(-0x8000, functionAt + 2);
      setTimeout(() => near.writable && near.write(frame), wire.delayMs);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const endAll = () => {
    for (const socket of open) socket.destroy();
  };
  return Object.assign(wire, {
    port: (server.address() as { port: number }).port,
    cut() {
      isCut = true;
      endAll();
    },
    mend() {
      isCut = false;
    },
    async close() {
      endAll();
      await new Promise((closed) => server.close(closed));
    },
  });
}

/** Calls for each whole frame, however the stream was cut. */
function eachFrame(socket: Socket, call: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= headBytes && rest.length >= headBytes + rest.readUInt16BE(lengthAt)) {
      const end = headBytes + rest.readUInt16BE(lengthAt);
      call(Buffer.from(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
  });
}
