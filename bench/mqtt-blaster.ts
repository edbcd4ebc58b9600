/** A broker that only talks: CONNACK, SUBACK, then messages as fast as the socket takes them. Runs in a worker thread. */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { messages, qos, topics, payload } = workerData as { messages: number; qos: 0 | 1; topics: string[]; payload: string };

/** One PUBLISH (MQTT 3.1.1 §3.3, MQTT 5 §3.3): the topics take turns. */
function publish(version: number, id: number): Buffer {
  const name = Buffer.from(topics[id % topics.length] ?? '');
  const head = Buffer.from([name.length >> 8, name.length & 255]);
  const body = Buffer.concat([
    head,
    name,
    Buffer.from(qos ? [id >> 8, id & 255] : []),
    Buffer.from(version === 5 ? [0] : []),
    Buffer.from(payload),
  ]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1), body.length]), body]);
}

const server = createServer((socket) => {
  let version = 4;
  let sent = 0;
  /** Packets in one write; with QoS 1 also the window of unconfirmed ones. */
  const batch = Math.max(1_000, topics.length);
  let window: Buffer = Buffer.alloc(0);
  const blast = () => {
    while (sent < messages) {
      sent += batch;
      if (!socket.write(window) || qos) return;
    }
  };
  let confirmed = 0;
  socket.setNoDelay(true).on('error', () => {});
  socket.on('drain', () => qos || blast());
  socket.on('data', (bytes) => {
    // CONNECT and SUBSCRIBE of this benchmark come whole; what follows are PUBACKs of 4 bytes, cut anywhere.
    const type = (bytes[0] ?? 0) >> 4;
    if (sent === 0 && type === 1) {
      version = bytes[8] ?? 4;
      window = Buffer.concat(Array.from({ length: batch }, (_, index) => publish(version, index + 1)));
      socket.write(Buffer.from(version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]));
    } else if (sent === 0 && type === 8) {
      const id = [bytes[2] ?? 0, bytes[3] ?? 0];
      socket.write(Buffer.from(version === 5 ? [0x90, 4, ...id, 0, qos] : [0x90, 3, ...id, qos]));
      blast();
    } else if (sent > 0) {
      confirmed += bytes.length;
      for (; confirmed >= 4 * batch; confirmed -= 4 * batch) blast();
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort?.postMessage(typeof address === 'object' ? address?.port : 0);
});
