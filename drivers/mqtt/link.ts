/** One network connection to a broker: opened once, lost once, closed. The host opens a new one; nothing here reconnects. */
import { Socket } from 'node:net';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { Host } from '../../src/contract/driver.ts';
import { Fault, LinkLost, messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Endings } from './endings.ts';
import { brokerAddress, type Options } from './options.ts';
import { packetGate } from './packets.ts';
import { brokerWords, errorWords, openFault, reasonText } from './reasons.ts';

/** Which broker to begin with, by this name in what is shared: the one after that which could not be tried to its end. */
const nextAs = 'mqtt next broker';
/** Session taken over (MQTT 5 §3.14.2.1). */
const takenOver = 142;

/** Whether the broker keeps the session: a connection that is only tried leaves nothing there. */
export const isKept = ({ clean }: Pick<Options, 'clean'>, { trial }: Pick<Host, 'trial'>): boolean => !clean && !trial;

export interface LinkOptions {
  options: Options;
  host: Host;
  clientId: string;
  endings: Endings | undefined;
  /** What stands in for birth and last will of the settings: a last will of its own for each connection, and what is said on leaving. */
  state?: { connecting(): Notice; leaving(): Notice } | undefined;
  /** Called before the first byte, to hear what a kept session sends at once. */
  prepare(link: Link): void;
}

interface Notice {
  topic: string;
  payload: string;
  qos: 0 | 1 | 2;
  retain: boolean;
}

export class Link {
  readonly client: MqttClient;
  /** Set once the link is gone, whoever ended it. */
  lost: LinkLost | undefined;
  /** The address that answered. */
  readonly url: string;
  readonly #options: Options;
  readonly #host: Host;
  readonly #endings: Endings | undefined;
  readonly #state: LinkOptions['state'];
  readonly #onLost = new Set<(error: LinkLost) => void>();
  #reason: string | undefined;
  #closing: Promise<void> | undefined;

  private constructor(client: MqttClient, url: string, { options, host, endings, state }: LinkOptions) {
    this.client = client;
    this.url = url;
    this.#options = options;
    this.#host = host;
    this.#endings = endings;
    this.#state = state;
  }

  /** Connects to the first of the brokers that says yes. Rejects with what each said. */
  static async open(given: LinkOptions, signal: AbortSignal): Promise<Link> {
    const { options, host } = given;
    const urls = [options.url, ...options.fallbacks];
    const first = urls.length > 1 ? Number(host.shared.get(nextAs) ?? 0) % urls.length : 0;
    const faults: Fault[] = [];
    for (let i = 0; i < urls.length; i++) {
      const at = (first + i) % urls.length;
      // If the time is over before it answers, the next opening begins with the one behind it.
      host.shared.set(nextAs, at + 1);
      try {
        const link = await Link.#openOne(given, urls[at] ?? options.url, limits.openTimeoutMs / urls.length, signal);
        host.shared.delete(nextAs);
        return link;
      } catch (error) {
        if (signal.aborted) throw error;
        faults.push(error as Fault);
      }
    }
    const [only] = faults;
    if (only && faults.length === 1) throw only;
    throw new Fault(`none of the ${urls.length} brokers can be opened: ${faults.map((fault) => fault.message).join('; ')}`, {
      type: 'connection-failed',
      blame: 'device',
      status: 503,
      cause: faults,
    });
  }

  static async #openOne(given: LinkOptions, url: string, withinMs: number, signal: AbortSignal): Promise<Link> {
    signal.throwIfAborted();
    const client = connect(clientOptions(given, url, withinMs));
    const link = new Link(client, url, given);
    link.#guardWriting();
    given.prepare(link);
    try {
      await link.#connect(signal);
    } catch (error) {
      await link.close();
      throw signal.aborted ? signal.reason : openFault(url, error);
    }
    link.#watch();
    link.#announce();
    return link;
  }

  /**
   * mqtt.js answers a packet whose id was cut off with an id that cannot be written, and that throws into the event loop. All it writes
   * passes here; the method is private, so `mqtt-hostile.test.ts` watches that it still does.
   */
  #guardWriting(): void {
    const client = this.client as unknown as { _writePacket: (...args: unknown[]) => void };
    const write = client._writePacket.bind(client);
    client._writePacket = (...args) => {
      try {
        write(...args);
      } catch (error) {
        this.end(`the broker sent a packet that cannot be answered: ${messageOf(error)}`);
      }
    };
  }

  #connect(signal: AbortSignal): Promise<void> {
    const { client } = this;
    return new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        client.off('connect', connected).off('error', failed).off('close', closed).off('disconnect', refused);
        signal.removeEventListener('abort', aborted);
        settle();
      };
      const connected = () => finish(resolve);
      const failed = (error: unknown) => finish(() => reject(error));
      const refused = (packet: { reasonCode?: number }) =>
        failed(new Error(`refused by the broker: ${reasonText(packet.reasonCode ?? 0)}`));
      const closed = () => failed(Object.assign(new Error('closed before it answered'), { code: 'ECONNRESET' }));
      const aborted = () => failed(signal.reason);
      client.on('connect', connected).on('error', failed).on('close', closed).on('disconnect', refused);
      signal.addEventListener('abort', aborted, { once: true });
      client.connect();
      // mqtt.js passes on only errors that have a code: a refused WebSocket has none.
      client.stream.on('error', failed);
      // A command is a small packet: it must not wait for the confirmation of the one before (Nagle). WebSockets do so by themselves.
      if (client.stream instanceof Socket) client.stream.setNoDelay(true);
      const gate = packetGate(limits.mqttPacketBytesMax);
      // Before the parser, which would hold the packet until it is whole.
      client.stream.prependListener('data', (chunk: Uint8Array) => {
        const bytes = gate(chunk);
        if (bytes !== undefined) this.end(`the broker sent a packet of ${bytes} bytes; at most ${limits.mqttPacketBytesMax} are taken`);
      });
    });
  }

  #watch(): void {
    const { client } = this;
    client.on('error', (error) => this.end(errorWords(error)));
    client.on('disconnect', ({ reasonCode = 0, properties }) => {
      const twin = reasonCode === takenOver ? this.#endings?.explain(true) : undefined;
      this.end(twin ?? `the broker ended the session: ${reasonText(reasonCode)}${brokerWords(properties?.reasonString)}`);
    });
    client.on('close', () => this.#gone());
    // It may have gone between the broker's yes and now.
    if (!client.connected) this.#gone();
  }

  #announce(): void {
    const { birth } = this.#options;
    if (!birth || this.#host.trial) return;
    this.client.publish(birth.topic, birth.payload, { qos: birth.qos, retain: birth.retain }, (error) => {
      if (error && !this.closing)
        this.#host.log.warn('the broker did not take our birth message', { topic: birth.topic, error: messageOf(error) });
    });
  }

  /** The broker publishes a last will only for those who are lost: who leaves in order says so himself. */
  #sayGoodBye(): void {
    if (this.#host.trial || !this.client.connected) return;
    const will = this.#state?.leaving() ?? this.#options.will;
    if (!will) return;
    this.client.publish(will.topic, will.payload, { qos: will.qos, retain: will.retain }, () => {});
  }

  /** True once `close` was called: what ends from then on ends because we wanted it. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** Ends the connection for a reason; the first reason counts. */
  end(reason: string): void {
    this.#reason ??= reason;
    this.client.stream.destroy();
  }

  /** Calls back when the link is gone; at once if it is. */
  whenLost(run: (error: LinkLost) => void): void {
    if (this.lost) run(this.lost);
    else this.#onLost.add(run);
  }

  offLost(run: (error: LinkLost) => void): void {
    this.#onLost.delete(run);
  }

  #gone(): void {
    if (this.lost) return;
    this.#endings?.release();
    this.lost = new LinkLost(this.#reason ?? this.#endings?.explain(false) ?? 'the broker closed the connection');
    for (const run of this.#onLost) run(this.lost);
    this.#onLost.clear();
    if (!this.#closing) this.#host.lost(this.lost);
  }

  /** Says good-bye if it can, and resolves when socket and timers are gone. */
  close(): Promise<void> {
    // Assigned before anything of it runs, so that what ends meanwhile is known to be wanted.
    this.#closing ??= Promise.resolve().then(() => this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { client } = this;
    this.#reason ??= 'closed';
    const { stream } = client;
    if (stream && !stream.closed) {
      const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
      const takeBack = this.#host.clock.after(limits.mqttCloseTimeoutMs, () => stream.destroy());
      this.#sayGoodBye();
      // Not forced, `end` waits for what is unconfirmed, so that nothing that was written is lost; the limit above ends it anyway.
      client.end(!client.connected);
      await closed;
      takeBack();
    }
    this.#gone();
  }
}

function clientOptions({ options, host, clientId, state }: LinkOptions, url: string, withinMs: number): IClientOptions {
  const { protocol, pathname } = new URL(url);
  const address = brokerAddress(url);
  const keeps = isKept(options, host);
  // A connection that is only tried says nothing to others.
  const will = host.trial ? undefined : state ? { ...state.connecting(), delay: 0 } : options.will;
  const webSocket = protocol.startsWith('ws');
  const password = host.secret('password');
  const tls = address.secure
    ? {
        rejectUnauthorized: options.tls.verify,
        ...(options.tls.serverName === undefined ? {} : { servername: options.tls.serverName }),
        ...(options.tls.alpn.length === 0 ? {} : { ALPNProtocols: options.tls.alpn }),
        ...secretOption(host, 'ca'),
        ...secretOption(host, 'cert'),
        ...secretOption(host, 'key'),
      }
    : {};
  return {
    protocol: protocol.slice(0, -1) as 'mqtt' | 'mqtts' | 'ws' | 'wss',
    // A socket wants an IPv6 address bare, a WebSocket's URL in brackets.
    hostname: webSocket ? address.host : address.host.replace(/^\[(.*)\]$/, '$1'),
    port: address.port,
    ...(webSocket ? { path: pathname, wsOptions: tls } : tls),
    clientId,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(password === undefined ? {} : { password }),
    clean: !keeps,
    keepalive: Math.ceil(options.keepalive / 1_000),
    protocolVersion: options.protocolVersion,
    ...(options.protocolVersion === 5
      ? {
          properties: {
            maximumPacketSize: limits.mqttPacketBytesMax,
            receiveMaximum: options.receiveMaximum,
            ...(options.topicAliasMaximum === 0 ? {} : { topicAliasMaximum: options.topicAliasMaximum }),
            ...(options.userProperties === undefined ? {} : { userProperties: options.userProperties }),
            ...(keeps ? { sessionExpiryInterval: Math.ceil(options.sessionExpiry / 1_000) } : {}),
          },
        }
      : {}),
    ...(will === undefined
      ? {}
      : {
          will: {
            topic: will.topic,
            payload: Buffer.from(will.payload),
            qos: will.qos,
            retain: will.retain,
            ...(options.protocolVersion === 5 ? { properties: { willDelayInterval: Math.ceil(will.delay / 1_000) } } : {}),
          },
        }),
    connectTimeout: withinMs,
    // The host owns reconnecting; nothing is queued for a later connection, a command least of all.
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // Its cache is a buffer of two bytes for each number there is: 12 MB for the life of the process.
    writeCache: false,
    timerVariant: 'native',
    log: () => {},
  };
}

function secretOption(host: Host, name: 'ca' | 'cert' | 'key'): Record<string, string> {
  const value = host.secret(name);
  return value === undefined || value === '' ? {} : { [name]: value };
}
