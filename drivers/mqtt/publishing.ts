/** Commands: one publish each, never repeated, with what the broker said about it. */
import type { IClientPublishOptions, IPublishPacket } from 'mqtt';
import type { Point } from '../../src/contract/device.ts';
import type { Answer, Host } from '../../src/contract/driver.ts';
import { messageOf } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Value } from '../../src/contract/sample.ts';
import type { Address, SetAddress } from './address.ts';
import { Answers, type Question } from './answers.ts';
import type { Link } from './link.ts';
import { firstOf, sentWord } from './meanings.ts';
import { failureFrom, reasonText } from './reasons.ts';
import { compileTemplate } from './template.ts';
import { parseTopic } from './topic.ts';

type PublishProperties = NonNullable<IClientPublishOptions['properties']>;

/** No matching subscribers (MQTT 5 §3.4.2.1): the broker took the message and nobody got it. */
const nobodyListens = 16;

interface Outgoing {
  topic: string;
  payload: string;
  set: SetAddress;
  question: Question | undefined;
}

export interface PublishingOptions {
  timeoutMs: number;
  clientId: string;
  version: 4 | 5;
  /** Resolves when what was asked to be heard is heard: a command's effect must not be missed. */
  listening(): Promise<void>;
  /** True if a subscription of the points brings this topic. */
  isHeard(topic: string): boolean;
}

/** The word a value is sent as; undefined if there is none for it. */
function wordFor(value: Value, { words: read, set }: Address): Value | undefined {
  if (set?.map) return sentWord(set.map, value);
  const words = set?.words ?? read;
  return typeof value === 'boolean' && words ? firstOf(words[value ? 'on' : 'off']) : value;
}

export class Publishing {
  readonly #link: Link;
  readonly #host: Host;
  readonly #options: PublishingOptions;
  readonly #timeoutMs: number;
  readonly #answers: Answers;
  /** Publishes of QoS 1 and 2 the broker has not confirmed, by packet id. */
  readonly #open = new Set<number>();
  readonly #unheard = new Set<number>();
  /** One command is made ready after the other, so that none overtakes. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: Link, host: Host, options: PublishingOptions) {
    this.#link = link;
    this.#host = host;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs;
    this.#answers = new Answers(link, host, options.clientId, options.timeoutMs);
    link.client.on('packetreceive', (packet) => {
      if ((packet.cmd === 'puback' || packet.cmd === 'pubrec') && packet.reasonCode === nobodyListens && packet.messageId !== undefined) {
        if (this.#open.has(packet.messageId)) this.#unheard.add(packet.messageId);
      }
    });
  }

  async set(point: Point<Address>, value: Value, signal: AbortSignal): Promise<Answer> {
    // The broker's answer is waited for outside the turn.
    const turn = this.#last.then(async () => {
      const send = await this.#prepare(point, value, signal);
      if ('state' in send) return { sent: Promise.resolve(send), question: undefined };
      return { sent: this.#publish(send, signal), question: send.question };
    });
    this.#last = turn.catch(() => {});
    const { sent, question } = await turn;
    const answer = await sent;
    if (!question) return answer;
    if (answer.state === 'acknowledged') return question.answer(signal);
    question.drop();
    return answer;
  }

  /** Takes a message that may be the answer to a command; true if its topic is there for such answers. */
  answered(packet: IPublishPacket): boolean {
    if (!this.#answers.isOurs(packet.topic)) return false;
    this.#answers.take(packet);
    return true;
  }

  /** Of a question nobody waits for the answer, which comes with what is heard; one that is not sent is asked with the next session. */
  ask({ topic, payload }: { topic: string; payload: string }): void {
    if (!this.#link.lost) this.#link.client.publish(topic, payload, { qos: 0, retain: false }, () => {});
  }

  async #prepare({ address }: Point<Address>, asked: Value, signal: AbortSignal): Promise<Outgoing | Answer> {
    const { set } = address;
    if (!set) return { state: 'refused', detail: 'the point has no "set" in its address, so nothing can be sent to it' };
    const topic = parseTopic(set.topic).fixed;
    if (topic === undefined) return { state: 'not-sent', detail: 'its topic has placeholders: it is of a template and not of a device' };
    const fill = compileTemplate(set.payload);
    const value = wordFor(asked, address);
    if (value === undefined)
      return { state: 'refused', detail: `there is no word for ${String(asked)} in its "set.${address.set?.map ? 'map' : 'words'}"` };
    try {
      fill(value);
    } catch (error) {
      return { state: 'refused', detail: messageOf(error) };
    }
    await this.#options.listening();
    if (set.response && !this.#link.lost) {
      const where = this.#answers.topicOf(set.response);
      const deaf = await this.#answers.hear(where, this.#options.isHeard(where));
      if (deaf !== undefined) return { state: 'not-sent', detail: deaf };
    }
    const question = set.response && this.#answers.ask(set.response);
    const payload = fill(value, question?.id);
    const notSent = signal.aborted ? messageOf(signal.reason) : this.#obstacle(topic, payload, set);
    if (notSent === undefined) return { topic, payload, set, question };
    question?.drop();
    return { state: 'not-sent', detail: notSent };
  }

  /** Why a publish must not even leave: sending it would cost the connection (MQTT 5 §3.2.2.3). */
  #obstacle(topic: string, payload: string, set: SetAddress): string | undefined {
    const { client, lost } = this.#link;
    if (lost || !client.connected || client.disconnecting) return 'the broker is not connected';
    const broker = client.serverProperties ?? {};
    if (set.qos > (broker.maximumQoS ?? 2)) return `the broker takes QoS 0 to ${broker.maximumQoS}, the point asks for ${set.qos}`;
    if (set.retain && broker.retainAvailable === false) return 'the broker keeps no retained messages, the point asks for one';
    // 16 bytes are more than the header, packet id and lengths need.
    const bytes = Buffer.byteLength(topic) + Buffer.byteLength(payload) + 16;
    const bytesMax = Math.min(broker.maximumPacketSize ?? limits.mqttPacketBytesMax, limits.mqttPacketBytesMax);
    if (bytes > bytesMax) return `the message has ${bytes} bytes; at most ${bytesMax} are sent`;
    const openMax = Math.min(broker.receiveMaximum ?? limits.mqttInFlightMax, limits.mqttInFlightMax);
    if (set.qos > 0 && this.#open.size >= openMax)
      return `${this.#open.size} messages wait to be confirmed by the broker; at most ${openMax} may`;
    return undefined;
  }

  #publish({ topic, payload, set, question }: Outgoing, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve) => {
      let id = 0;
      let ended = false;
      const end = (answer: Answer) => {
        if (ended) return;
        ended = true;
        takeBack();
        signal.removeEventListener('abort', aborted);
        this.#link.offLost(lost);
        resolve(answer);
      };
      const unknown = (why: string) => end({ state: 'unknown', detail: `sent to topic ${JSON.stringify(topic)}, ${why}` });
      const lost = (error: Error) => {
        this.#forget(id);
        unknown(`then the connection was lost before the broker confirmed it: ${messageOf(error)}`);
      };
      const aborted = () => unknown('and no longer waited for');
      const takeBack = this.#host.clock.after(this.#timeoutMs, () =>
        unknown(`and not confirmed by the broker within ${this.#timeoutMs} ms`),
      );
      signal.addEventListener('abort', aborted, { once: true });
      this.#link.whenLost(lost);
      this.#host.traffic?.({
        direction: 'out',
        bytes: Buffer.from(payload),
        meaning: `QoS ${set.qos}${set.retain ? ', retained' : ''}`,
        unit: topic,
      });
      const properties = this.#options.version === 5 ? propertiesOf(set, question) : undefined;
      this.#link.client.publish(topic, payload, { qos: set.qos, retain: set.retain, ...(properties ? { properties } : {}) }, (error) => {
        const heard = this.#forget(id);
        if (error) end(refusedOr(error));
        else end(acknowledged(set.qos, heard));
      });
      // QoS 0 has no packet id, and has ended by now unless the socket is full.
      if (set.qos > 0) {
        id = this.#link.client.getLastMessageId();
        this.#open.add(id);
      }
    });
  }

  /** False if the broker said that nobody listens. */
  #forget(id: number): boolean {
    this.#open.delete(id);
    return !this.#unheard.delete(id);
  }
}

function propertiesOf(
  { contentType, userProperties, response }: SetAddress,
  question: Question | undefined,
): PublishProperties | undefined {
  if (contentType === undefined && userProperties === undefined && !question) return undefined;
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...(userProperties === undefined ? {} : { userProperties }),
    ...(question ? { responseTopic: question.topic } : {}),
    ...(question && response?.id === undefined ? { correlationData: Buffer.from(question.id) } : {}),
  };
}

function refusedOr(error: Error): Answer {
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number' && code >= failureFrom) return { state: 'refused', detail: `the broker refused it: ${reasonText(code)}` };
  return { state: 'unknown', detail: messageOf(error) };
}

function acknowledged(qos: 0 | 1 | 2, heard: boolean): Answer {
  if (qos === 0) return { state: 'acknowledged', detail: 'sent with QoS 0: nobody confirms it' };
  return heard ? { state: 'acknowledged' } : { state: 'acknowledged', detail: 'the broker took it, and nobody listens to this topic' };
}
