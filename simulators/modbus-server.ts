/** A Modbus TCP server for simulated devices: sockets and frames; what is answered is the units' affair. */
import { createServer, type Socket } from 'node:net';
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

/** Units by their id; an id without one answers as a gateway would whose target is silent. `port` 0 takes a free one. */
export async function startModbusServer(options: { host: string; port: number; units: ReadonlyMap<number, Unit> }): Promise<ModbusServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
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
        socket.write(respond(request, options.units));
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
