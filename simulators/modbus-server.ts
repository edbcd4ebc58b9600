/** A Modbus TCP server for simulated devices: sockets and frames; what is answered is the units' affair. */
import { createServer, type Socket } from 'node:net';
import type { Manner, Way } from './modbus-faults.ts';
import { answer, exceptions, type Unit } from './modbus-protocol.ts';

const headerBytes = 6;
/** A frame holds a unit and a PDU of at most 253 bytes; anything else is no Modbus, and the connection is closed. */
const lengthMax = 254;
/** A desk plant: more clients than this are a mistake. */
const connectionsMax = 100;

export interface ModbusServer {
  port: number;
  close(): Promise<void>;
}

export interface ModbusServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** By their id; an id without one answers as a gateway would whose target is silent. */
  units: ReadonlyMap<number, Unit>;
  /** Of units that do not answer as they should. */
  manners?: ReadonlyMap<number, Manner>;
}

export async function startModbusServer(options: ModbusServerOptions): Promise<ModbusServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    const timers = new Set<NodeJS.Timeout>();
    socket.on('close', () => {
      sockets.delete(socket);
      for (const timer of timers) clearTimeout(timer);
    });
    const way: Way = {
      send: (bytes) => void socket.write(bytes),
      hangUp: () => socket.destroy(),
      after(delayMs, run) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          run();
        }, delayMs);
        timers.add(timer);
      },
    };
    socket.on('error', () => socket.destroy());
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= headerBytes) {
        const length = received.readUInt16BE(4);
        if (received.readUInt16BE(2) !== 0 || length < 2 || length > lengthMax) {
          socket.destroy();
          return;
        }
        if (received.length < headerBytes + length) return;
        const request = received.subarray(0, headerBytes + length);
        received = received.subarray(headerBytes + length);
        const manner = options.manners?.get(request.readUInt8(headerBytes)) ?? plainly;
        manner(respond(request, options.units), way);
      }
    });
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const plainly: Manner = (said, way) => way.send(said);

function respond(request: Buffer, units: ReadonlyMap<number, Unit>): Buffer {
  const unitId = request.readUInt8(headerBytes);
  const pdu = request.subarray(headerBytes + 1);
  const unit = units.get(unitId);
  const said = unit ? answer(pdu, unit) : Buffer.from([pdu.readUInt8(0) | 0x80, exceptions.targetSilent]);
  const header = Buffer.alloc(headerBytes + 1);
  request.copy(header, 0, 0, 4);
  header.writeUInt16BE(said.length + 1, 4);
  header.writeUInt8(unitId, headerBytes);
  return Buffer.concat([header, said]);
}
