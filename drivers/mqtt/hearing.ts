/** What the broker sends: to the points of its topic, or held while no points are known. */
import type { IPublishPacket } from 'mqtt';
import type { Host, Reading, Sink } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Acknowledger } from './acks.ts';
import type { Address } from './address.ts';
import type { Confirmation } from './incoming.ts';
import { Message, type Reader } from './readings.ts';
import type { Filter, Topics } from './topics.ts';

export interface Listener {
  readonly topics: Topics;
  readonly sink: Sink<Address>;
  /** Takes a message that announces devices; true if it does. */
  readonly announced?: (topic: string, payload: Buffer, retained: boolean) => boolean;
}

export interface HearingOptions {
  host: Host;
  /** Called for a message of a topic nobody asked for: a subscription left in a kept session. */
  stray: (topic: string) => void;
  /** Given if confirmations wait for the commit. */
  acknowledger: Acknowledger | undefined;
  /** Takes what may be the answer to a command; true if its topic is there for such answers. */
  answered: (packet: IPublishPacket) => boolean;
}

interface Held {
  packet: IPublishPacket;
  /** Its topic is there for answers, perhaps for points too. */
  isAnswer: boolean;
  confirmation: Confirmation | undefined;
}

export class Hearing {
  readonly #options: HearingOptions;
  #listener: Listener | undefined;
  #held: Held[] = [];
  #heldBytes = 0;
  /** Lets the next message come, which waits at the broker for room. */
  #goOn: (() => void) | undefined;
  #dropped = 0;

  constructor(options: HearingOptions) {
    this.#options = options;
  }

  /** From now on messages go to this listener, those held meanwhile first. */
  attach(listener: Listener): void {
    this.#listener = listener;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#dropped = 0;
    for (const each of held) this.#deliver(each, listener);
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }

  detach(listener: Listener): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  /**
   * Hands on a message; `confirmation` is how it is to be confirmed when it is committed, if it is. `goOn` is called when the next may come: at once, unless
   * no more can be held.
   */
  take(packet: IPublishPacket, confirmation: Confirmation | undefined, goOn: () => void): void {
    this.#options.host.traffic?.({
      direction: 'in',
      bytes: packet.payload as Buffer,
      meaning: `QoS ${confirmation === 'pubrec' ? 2 : packet.qos}${packet.retain ? ', retained' : ''}`,
      unit: packet.topic,
    });
    const held = { packet, confirmation, isAnswer: this.#options.answered(packet) };
    if (this.#listener) this.#deliver(held, this.#listener);
    else if (!this.#hold(held)) {
      this.#goOn = goOn;
      return;
    }
    goOn();
  }

  /** True if a subscription of the points brings this topic. */
  isHeard(topic: string): boolean {
    return this.#listener?.topics.isAsked(topic) ?? false;
  }

  /**
   * False if the next message must wait. One of QoS 1 or 2 is never dropped: the first beyond the bound is held too, and no other is read from the socket
   * before there are points. Should that last, the keepalive ends the link, and the broker sends again what is not confirmed. Ending it here would bring
   * the same messages again at once, and again too many.
   */
  #hold({ packet, ...rest }: Held): boolean {
    const hasRoom = this.#held.length < limits.mqttHeldMessagesMax && this.#heldBytes + packet.payload.length <= limits.mqttHeldBytesMax;
    if (hasRoom || packet.qos > 0) {
      // The parser's payload is a view of a whole chunk of the socket.
      this.#held.push({ packet: { ...packet, payload: Buffer.from(packet.payload) }, ...rest });
      this.#heldBytes += packet.payload.length;
      return hasRoom;
    }
    this.#dropped++;
    if (this.#dropped === 1) {
      this.#options.host.log.warn('messages of QoS 0 came before their points were known; those beyond the bound are dropped', {
        messagesMax: limits.mqttHeldMessagesMax,
        bytesMax: limits.mqttHeldBytesMax,
      });
    }
    return true;
  }

  #deliver({ packet, confirmation, isAnswer }: Held, { topics, sink, announced }: Listener): void {
    const { acknowledger } = this.#options;
    const isAnnouncement = announced?.(packet.topic, packet.payload as Buffer, packet.retain) ?? false;
    const heard = topics.of(packet.topic, packet.payload.length === 0);
    if (!heard) {
      if (!isAnswer && !isAnnouncement && !topics.isAsked(packet.topic)) this.#options.stray(packet.topic);
      if (confirmation) acknowledger?.add(packet.messageId ?? 0, confirmation);
      return;
    }
    const isMeant = meantBy(packet, topics);
    if (isMeant === everyone && heard.copies?.isCopy(packet.payload as Buffer, this.#options.host.clock.monotonicMs())) {
      if (confirmation) acknowledger?.add(packet.messageId ?? 0, confirmation);
      return;
    }
    const message = new Message(packet.payload as Buffer, packet.retain);
    for (const { word, filter } of heard.words) {
      const said = isMeant(filter) ? word.read(message) : undefined;
      if (said) sink.availability(word.device, said);
    }
    let readings: readonly Reading<Address>[] = nothing;
    for (const { reader, filter } of heard.readers) {
      if (!isMeant(filter)) continue;
      const own = this.#read(reader, message, sink);
      readings = readings.length === 0 ? own : [...readings, ...own];
    }
    if (acknowledger && confirmation) {
      acknowledger.add(packet.messageId ?? 0, confirmation, readings.length > 0 ? sink.commit(readings) : undefined);
    } else if (readings.length > 0) sink.samples(readings);
  }

  #read(reader: Reader, message: Message, sink: Sink<Address>): readonly Reading<Address>[] {
    const before = reader.clockTrouble;
    const readings = reader.read(message);
    if (reader.clockTrouble !== before) sink.trouble(reader.point, reader.clockTrouble);
    return readings;
  }
}

const nothing: readonly Reading<Address>[] = [];

/** Of filters that cross, a broker sends a message once for each, and says by their identifiers for which (MQTT 5 §3.3.2.3.8). */
function meantBy({ properties }: IPublishPacket, topics: Topics): (filter: Filter) => boolean {
  const given = properties?.subscriptionIdentifier;
  if (given === undefined) return everyone;
  const identifiers = (Array.isArray(given) ? given : [given]).filter((identifier) => topics.knows(identifier));
  if (identifiers.length === 0) return everyone;
  return ({ identifier }) => identifier === undefined || identifiers.includes(identifier);
}

const everyone = () => true;
