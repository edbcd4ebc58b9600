/**
 * `node bench/mqtt-publisher.ts <port> <qos> <messages> <a second>`: publishes JSON to the topics `bench/<n>`, as evenly as the event loop lets it (as
 * fast as the broker takes it if the rate is 0), and prints how long it took. A process of its own, so that what it costs is not counted with who hears.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = 0, qos = 0, messages = 0, perSecond = 0] = process.argv.slice(2).map(Number);
export const topicCount = 100;
const tickMs = 5;

const socket = connect(port, '127.0.0.1').setNoDelay(true);
let confirmed = 0;
let greeted = () => {};
socket.on('data', (bytes) => {
  if (bytes[0] === 0x20) greeted();
  else confirmed += bytes.length / 4;
});
await new Promise<void>((resolve) => {
  greeted = resolve;
  // CONNECT of MQTT 3.1.1, clean, keep-alive 60 s (§3.1).
  const body = Buffer.concat([Buffer.from([0, 4]), Buffer.from('MQTT'), Buffer.from([4, 2, 0, 60, 0, 3]), Buffer.from('pub')]);
  socket.write(Buffer.concat([Buffer.from([0x10, body.length]), body]));
});

function publish(n: number): Buffer {
  const topic = Buffer.from(`bench/${n % topicCount}`);
  const payload = Buffer.from(`{"temperature":${(20 + (n % 997) / 100).toFixed(2)},"humidity":44.7,"n":${n}}`);
  const id = (n % 65_535) + 1;
  const head = qos === 0 ? Buffer.alloc(0) : Buffer.from([id >> 8, id & 255]);
  const body = Buffer.concat([Buffer.from([0, topic.length]), topic, head, payload]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1), body.length]), body]);
}

const started = performance.now();
let sent = 0;
while (sent < messages) {
  const elapsedMs = performance.now() - started;
  const due = perSecond > 0 ? Math.min(messages, Math.ceil((elapsedMs / 1_000) * perSecond)) : Math.min(messages, sent + 500);
  const packets: Buffer[] = [];
  for (; sent < due; sent++) packets.push(publish(sent));
  if (packets.length > 0 && !socket.write(Buffer.concat(packets))) await once(socket, 'drain');
  // Whoever publishes with QoS 1 and never looks at the confirmations is no client.
  if (qos > 0) while (sent - confirmed > 2_000) await new Promise((resolve) => setTimeout(resolve, 1));
  if (perSecond > 0) await new Promise((resolve) => setTimeout(resolve, tickMs));
}
if (qos > 0) while (confirmed < messages) await new Promise((resolve) => setTimeout(resolve, 1));
const seconds = (performance.now() - started) / 1_000;
socket.end(Buffer.from([0xe0, 0]));
await once(socket, 'close');
console.log(seconds.toFixed(3));
