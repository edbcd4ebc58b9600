/** An open broker: hears topics, publishes commands. */
import type { Point } from '../../src/contract/device.ts';
import type { Answer, Host, Line, Session, Sink, Survey } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import type { Value } from '../../src/contract/sample.ts';
import { Acknowledger } from './acks.ts';
import type { Address } from './address.ts';
import type { Convention, Part } from './announced/convention.ts';
import { AnnouncedDevices } from './announced/devices.ts';
import { Questions } from './announced/questions.ts';
import { SaidWords } from './availability.ts';
import type { DeviceAddress } from './driver.ts';
import { Endings } from './endings.ts';
import { Hearing, type Listener } from './hearing.ts';
import { homeassistant } from './homeassistant/convention.ts';
import { Incoming } from './incoming.ts';
import { isKept, Link } from './link.ts';
import type { Options } from './options.ts';
import { Publishing } from './publishing.ts';
import { SparkplugHost, convention as sparkplugB } from './sparkplug/host.ts';
import { Subscriptions } from './subscriptions.ts';
import { probe } from './survey/probe.ts';
import { type ScanDeps, scan } from './survey/scan.ts';
import type { ProbeOptions, ScanOptions } from './survey/settings.ts';
import { tasmota } from './tasmota/convention.ts';
import { Topics } from './topics.ts';

/** Made once: an error for each message would cost more than the message. */
const confirmedLater = new Error('confirmed when it is committed');

export async function openSession(line: Line<Options, DeviceAddress, Address>, host: Host, signal: AbortSignal): Promise<Session<Address>> {
  const { id, options } = line.connection;
  const clientId = host.trial ? trialClientId() : (options.clientId ?? rememberedClientId(host));
  const endings = host.trial ? undefined : new Endings(host, id, clientId);
  let hearing: Hearing | undefined;
  let subscriptions: Subscriptions | undefined;
  let publishing: Publishing | undefined;
  const sparkplug = options.sparkplug && !host.trial ? new SparkplugHost(line, options.sparkplug, host) : undefined;
  // Only a kept session gets a message again that was not confirmed.
  const keeps = isKept(options, host);
  const prepare = (opening: Link) => {
    const { client } = opening;
    const incoming = new Incoming(client, keeps);
    const notKept = (error: unknown) => {
      // At the end of the gateway samples are lost too: its link says good-bye as ever.
      if (!opening.closing) opening.end(`the history did not take what the broker sent (${messageOf(error)}); it is to send it again`);
    };
    const acknowledger = keeps ? new Acknowledger((messageId, how) => incoming.confirm(messageId, how), notKept) : undefined;
    const heard = new Hearing({
      host,
      stray: (topic) => subscriptions?.dropStray(topic),
      acknowledger,
      answered: (packet) => publishing?.answered(packet) ?? false,
    });
    hearing = heard;
    client.handleMessage = (packet, callback) => {
      const later = acknowledger !== undefined && packet.qos > 0;
      const confirmation = later ? incoming.confirmationOf(packet) : undefined;
      // mqtt.js confirms unless it gets an error, and goes on to the next message either way.
      const goOn = () => (later ? callback(confirmedLater) : callback());
      if (!later || confirmation) heard.take(packet, confirmation, goOn);
      else goOn();
    };
  };
  let link: Link;
  try {
    link = await Link.open({ options, host, clientId, endings, state: sparkplug?.state, prepare }, signal);
  } catch (error) {
    endings?.release();
    throw error;
  }
  sparkplug?.use(link);
  subscriptions = new Subscriptions(link, host, {
    timeoutMs: options.timeout,
    version: options.protocolVersion,
    kept: keeps,
    share: options.share,
  });
  const heard = hearing;
  if (!heard) throw new Error('the link opened without being prepared');
  const asked = subscriptions;
  publishing = new Publishing(link, host, {
    timeoutMs: options.timeout,
    clientId,
    version: options.protocolVersion,
    listening: () => Promise.all([asked.settled(), sparkplug?.online]).then(() => undefined),
    isHeard: (topic) => heard.isHeard(topic),
  });
  return new BrokerSession(line, host, link, heard, subscriptions, publishing, sparkplug);
}

/** Devices that announce themselves by one convention, whichever it is. */
type Announcing = Pick<AnnouncedDevices, 'filters' | 'devices' | 'points' | 'attach' | 'detach' | 'take' | 'takeQuestions'>;

function announcing(connection: string, options: Options, host: Host): Announcing[] {
  const by = <P extends Part>(convention: Convention<P>) => new AnnouncedDevices(connection, convention, host);
  return [
    ...(options.homeassistant ? [by(homeassistant(options.homeassistant.prefix))] : []),
    ...(options.tasmota ? [by(tasmota(options.tasmota))] : []),
  ];
}

class BrokerSession implements Session<Address> {
  readonly #line: Line<Options, DeviceAddress, Address>;
  readonly #host: Host;
  readonly #link: Link;
  readonly #hearing: Hearing;
  readonly #subscriptions: Subscriptions;
  readonly #publishing: Publishing;
  readonly #said = new SaidWords();
  readonly #announced: readonly Announcing[];
  readonly #sparkplug: SparkplugHost | undefined;

  constructor(
    line: Line<Options, DeviceAddress, Address>,
    host: Host,
    link: Link,
    hearing: Hearing,
    subscriptions: Subscriptions,
    publishing: Publishing,
    sparkplug: SparkplugHost | undefined,
  ) {
    const { id, options } = line.connection;
    this.#announced = host.trial ? [] : announcing(id, options, host);
    this.#line = line;
    this.#host = host;
    this.#link = link;
    this.#hearing = hearing;
    this.#subscriptions = subscriptions;
    this.#publishing = publishing;
    this.#sparkplug = sparkplug;
  }

  listen(points: readonly Point<Address>[], sink: Sink<Address>, signal: AbortSignal): Promise<void> {
    const announced = this.#announced;
    const sparkplug = this.#sparkplug;
    const ours = [
      ...announced.flatMap(({ filters }) => filters),
      ...(sparkplug?.filters.map((filter) => ({ filter, source: sparkplugB })) ?? []),
    ];
    const hear = (): Listener => {
      const devices = announced.flatMap((each) => each.devices);
      const heard = [...points, ...announced.flatMap((each) => each.points)];
      return {
        topics: new Topics(heard, [...this.#line.devices, ...devices], sink, ours, this.#said),
        sink,
        ...(ours.length > 0
          ? {
              announced: (topic, payload, retained) =>
                announced.some((each) => each.take(topic, payload, retained)) || (sparkplug?.take(topic, payload, retained) ?? false),
            }
          : {}),
      };
    };
    const questions = new Questions(this.#host.clock, (question) => this.#publishing.ask(question));
    return new Promise((resolve, reject) => {
      let listener: Listener | undefined;
      const follow = () => {
        listener = hear();
        this.#hearing.attach(listener);
        this.#subscriptions.follow(listener).then(() => {
          sparkplug?.begin();
          if (listener) questions.ask(announced.flatMap((each) => each.takeQuestions()));
        }, reject);
      };
      const detach = () => {
        for (const each of announced) each.detach(sink);
        sparkplug?.detach(sink);
        questions.close();
        if (listener) this.#hearing.detach(listener);
        listener = undefined;
      };
      const stop = () => {
        detach();
        resolve();
      };
      if (signal.aborted || this.#link.closing) return resolve();
      signal.addEventListener('abort', stop, { once: true });
      this.#link.whenLost((error) => {
        signal.removeEventListener('abort', stop);
        detach();
        if (this.#link.closing) resolve();
        else reject(error);
      });
      if (this.#link.lost) return;
      for (const each of announced) each.attach(sink, follow);
      sparkplug?.attach(sink);
      follow();
    });
  }

  ready(): Promise<void> {
    return this.#subscriptions.settled();
  }

  write(point: Point<Address>, value: Value, signal: AbortSignal): Promise<Answer> {
    const { metric } = point.address;
    return metric !== undefined && this.#sparkplug ? this.#sparkplug.set(point, value, signal) : this.#publishing.set(point, value, signal);
  }

  probe(options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    return probe(this.#surveyed(), options as ProbeOptions, survey, signal);
  }

  scan(options: unknown, survey: Survey, signal: AbortSignal): Promise<void> {
    return scan(this.#surveyed(), options as ScanOptions, survey, signal);
  }

  #surveyed(): ScanDeps {
    const { id, options } = this.#line.connection;
    return { connection: id, options, host: this.#host, clientId: trialClientId() };
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

/** At most 23 characters, which every broker takes [MQTT-3.1.3-5]. */
function trialClientId(): string {
  return `fieldgate-t${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`;
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
