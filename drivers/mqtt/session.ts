/** An open broker: hears topics, publishes commands. */
import type { MqttClient } from 'mqtt';
import type { Device, Point } from '../../src/contract/device.ts';
import type { Answer, Host, Line, Session, Sink } from '../../src/contract/driver.ts';
import type { Value } from '../../src/contract/sample.ts';
import { Acknowledger } from './acks.ts';
import type { Address } from './address.ts';
import { Hearing, type Listener } from './hearing.ts';
import { Link } from './link.ts';
import type { Options } from './options.ts';
import { Publishing } from './publishing.ts';
import { Subscriptions } from './subscriptions.ts';
import { Topics } from './topics.ts';

export async function openSession(line: Line<Options, unknown, Address>, host: Host, signal: AbortSignal): Promise<Session<Address>> {
  const { options } = line.connection;
  let hearing: Hearing | undefined;
  let subscriptions: Subscriptions | undefined;
  const link = await Link.open(
    options,
    host,
    options.clientId ?? rememberedClientId(host),
    ({ client }) => {
      // Only a kept session gets a message again that was not confirmed.
      const acknowledger = options.clean ? undefined : new Acknowledger((messageId) => confirm(client, messageId));
      const heard = new Hearing({ host, stray: (topic) => subscriptions?.dropStray(topic), acknowledger });
      hearing = heard;
      client.handleMessage = (packet, callback) => {
        // mqtt.js confirms unless it gets an error, and goes on to the next message either way.
        if (heard.take(packet)) callback(new Error('confirmed when it is committed'));
        else callback();
      };
    },
    signal,
  );
  subscriptions = new Subscriptions(link, host, {
    timeoutMs: options.timeout,
    version: options.protocolVersion,
    kept: !options.clean,
  });
  if (!hearing) throw new Error('the link opened without being prepared');
  return new BrokerSession(line.devices, link, hearing, subscriptions, new Publishing(link, host, options.timeout));
}

class BrokerSession implements Session<Address> {
  readonly #devices: readonly Device<unknown, Address>[];
  readonly #link: Link;
  readonly #hearing: Hearing;
  readonly #subscriptions: Subscriptions;
  readonly #publishing: Publishing;

  /** `devices` are those of the line, live. */
  constructor(
    devices: readonly Device<unknown, Address>[],
    link: Link,
    hearing: Hearing,
    subscriptions: Subscriptions,
    publishing: Publishing,
  ) {
    this.#devices = devices;
    this.#link = link;
    this.#hearing = hearing;
    this.#subscriptions = subscriptions;
    this.#publishing = publishing;
  }

  listen(points: readonly Point<Address>[], sink: Sink<Address>, signal: AbortSignal): Promise<void> {
    const listener: Listener = { topics: new Topics(points, this.#devices, sink), sink };
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#hearing.detach(listener);
        resolve();
      };
      if (signal.aborted || this.#link.closing) return resolve();
      signal.addEventListener('abort', stop, { once: true });
      this.#link.whenLost((error) => {
        signal.removeEventListener('abort', stop);
        this.#hearing.detach(listener);
        if (this.#link.closing) resolve();
        else reject(error);
      });
      if (this.#link.lost) return;
      this.#hearing.attach(listener);
      this.#subscriptions.follow(listener).catch(reject);
    });
  }

  write(point: Point<Address>, value: Value, signal: AbortSignal): Promise<Answer> {
    return this.#publishing.set(point, value, signal);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

/** The message has been taken over: PUBACK, for which mqtt.js has no public way once `handleMessage` has kept it back. */
function confirm(client: MqttClient, messageId: number): void {
  // biome-ignore lint/complexity/useLiteralKeys: a private member is reached by its name only.
  if (client.connected) client['_sendPacket']({ cmd: 'puback', messageId, reasonCode: 0 });
}

/** A broker throws out the older of two clients of one name, so the name must be ours alone and the same after a restart. */
function rememberedClientId(host: Host): string {
  const known = host.memory.get('clientId');
  if (typeof known === 'string' && /^fieldgate-[0-9a-f]{12}$/.test(known)) return known;
  // 22 characters: every broker takes up to 23 [MQTT-3.1.3-5].
  const made = `fieldgate-${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`;
  host.memory.set('clientId', made);
  return made;
}
