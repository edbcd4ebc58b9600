/** What the broker sends: to the points of its topic, or held while no points are known. */
import type { IPublishPacket } from 'mqtt';
import type { Host, Reading, Sink } from '../../src/contract/driver.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Acknowledger } from './acks.ts';
import type { Address } from './address.ts';
import { Message } from './readings.ts';
import type { Topics } from './topics.ts';

export interface Listener {
  readonly topics: Topics;
  readonly sink: Sink<Address>;
}

export interface HearingOptions {
  host: Host;
  /** Called for a message of a topic nobody asked for: a subscription left in a kept session. */
  stray: (topic: string) => void;
  /** Given if confirmations wait for the commit. */
  acknowledger: Acknowledger | undefined;
}

export class Hearing {
  readonly #options: HearingOptions;
  #listener: Listener | undefined;
  #held: IPublishPacket[] = [];
  #heldBytes = 0;
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
    for (const packet of held) this.#deliver(packet, listener);
  }

  detach(listener: Listener): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  /** True if the confirmation of this message is sent later, by the acknowledger. */
  take(packet: IPublishPacket): boolean {
    const later = packet.qos === 1 && this.#options.acknowledger !== undefined;
    if (this.#listener) this.#deliver(packet, this.#listener);
    else this.#hold(packet);
    return later;
  }

  #hold(packet: IPublishPacket): void {
    if (this.#held.length < limits.mqttHeldMessagesMax && this.#heldBytes + packet.payload.length <= limits.mqttHeldBytesMax) {
      // The parser's payload is a view of a whole chunk of the socket.
      this.#held.push({ ...packet, payload: Buffer.from(packet.payload) });
      this.#heldBytes += packet.payload.length;
      return;
    }
    this.#dropped++;
    if (this.#dropped > 1) return;
    this.#options.host.log.warn('messages came before their points were known; those beyond the bound are dropped', {
      messagesMax: limits.mqttHeldMessagesMax,
      bytesMax: limits.mqttHeldBytesMax,
    });
  }

  #deliver(packet: IPublishPacket, { topics, sink }: Listener): void {
    const { acknowledger } = this.#options;
    const heard = topics.of(packet.topic, packet.payload.length === 0);
    if (!heard) {
      if (!topics.isAsked(packet.topic)) this.#options.stray(packet.topic);
      if (packet.qos === 1) acknowledger?.add(packet.messageId ?? 0, []);
      return;
    }
    const message = new Message(packet.payload as Buffer, packet.retain);
    const commits: Promise<void>[] | undefined = acknowledger && packet.qos === 1 ? [] : undefined;
    for (const word of heard.words) {
      const said = word.read(message);
      if (said) sink.availability(word.device, said);
    }
    for (const reader of heard.readers) {
      const before = reader.clockTrouble;
      const reading = reader.read(message);
      if (reader.clockTrouble !== before) sink.trouble(reader.point, reader.clockTrouble);
      if (!reading) continue;
      for (const one of Array.isArray(reading) ? (reading as readonly Reading<Address>[]) : [reading as Reading<Address>]) {
        const committed = sink.sample(one);
        if (commits) commits.push(committed);
        else committed.catch(this.#refused);
      }
    }
    if (commits) acknowledger?.add(packet.messageId ?? 0, commits);
  }

  /** Counted where it was refused; a bound that is hit by a flood must not flood the log. */
  readonly #refused = () => {};
}
