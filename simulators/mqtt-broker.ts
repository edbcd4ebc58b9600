/** An MQTT 3.1.1 broker on 127.0.0.1 (aedes), and the way devices inside it speak and hear. */
import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';

export interface MqttBroker {
  port: number;
  publish(topic: string, payload: string | Buffer, options?: { retain?: boolean }): void;
  /** Calls back for what clients publish to this topic, as a text and as it came. */
  obey(topic: string, take: (payload: string, bytes: Buffer) => void): void;
  close(): Promise<void>;
}

/** A device's command is a word or a small document; more is not for it. */
const commandBytesMax = 1_024;

/** `port` 0 takes a free one. Rejects if the port is taken. */
export async function startBroker({ host, port }: { host: string; port: number }): Promise<MqttBroker> {
  const aedes = new Aedes();
  await aedes.listen();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    aedes.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const obeying = new Map<string, (payload: string, bytes: Buffer) => void>();
  aedes.on('publish', (packet, client) => {
    // What devices say themselves comes without a client.
    if (client && packet.payload.length <= commandBytesMax)
      obeying.get(packet.topic)?.(packet.payload.toString(), Buffer.from(packet.payload));
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    publish(topic, payload, { retain = false } = {}) {
      aedes.publish({ cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, dup: false, retain }, () => {});
    },
    obey: (topic, take) => void obeying.set(topic, take),
    async close() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
