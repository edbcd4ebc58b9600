/**
 * What mqtt.js does not do with messages that come in, done between its parser and its handlers: topic aliases are put back into the packets, and
 * a message of QoS 2 is handed on at once and confirmed (PUBREC) when it is committed. Left alone mqtt.js confirms such a message before anybody
 * has seen it, and keeps it in memory only. [MQTT-4.3.3-10] allows both orders.
 */
import type { IPublishPacket, MqttClient } from 'mqtt';

export type Confirmation = 'puback' | 'pubrec';

export class Incoming {
  readonly #client: MqttClient;
  readonly #topics = new Map<number, string>();
  /** Messages of QoS 2 whose id the broker has not released, and whether they are confirmed. */
  readonly #exactlyOnce = new Map<number, { isConfirmed: boolean }>();
  /** Those of them that are in the hands of mqtt.js just now. */
  readonly #marked = new WeakMap<IPublishPacket, 'new' | 'again'>();

  /** `later`: messages of QoS 2 are confirmed by `confirm`. */
  constructor(client: MqttClient, later: boolean) {
    this.#client = client;
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'publish') {
        const alias = packet.properties?.topicAlias;
        if (alias !== undefined) this.#resolve(packet, alias);
        if (later && packet.qos === 2) this.#takeOver(packet);
      } else if (packet.cmd === 'pubrel' && packet.messageId !== undefined) this.#exactlyOnce.delete(packet.messageId);
    });
  }

  /** How a message is to be confirmed; undefined for one that was handed on before. */
  confirmationOf(packet: IPublishPacket): Confirmation | undefined {
    const mark = this.#marked.get(packet);
    return mark === undefined ? 'puback' : mark === 'new' ? 'pubrec' : undefined;
  }

  /** The message has been taken over. mqtt.js has no public way to say so once `handleMessage` has kept the confirmation back. */
  confirm(messageId: number, cmd: Confirmation): void {
    const known = cmd === 'pubrec' ? this.#exactlyOnce.get(messageId) : undefined;
    if (known) known.isConfirmed = true;
    // biome-ignore lint/complexity/useLiteralKeys: a private member is reached by its name only.
    if (this.#client.connected) this.#client['_sendPacket']({ cmd, messageId, reasonCode: 0 });
  }

  #resolve(packet: IPublishPacket, alias: number): void {
    if (packet.topic !== '') this.#topics.set(alias, packet.topic);
    // An alias that is not known ends the link: mqtt.js sees the empty topic.
    else packet.topic = this.#topics.get(alias) ?? '';
  }

  /** For mqtt.js it is a message of QoS 1, which it leaves to us; the release that follows it answers by itself. */
  #takeOver(packet: IPublishPacket): void {
    const id = packet.messageId ?? 0;
    const known = this.#exactlyOnce.get(id);
    this.#marked.set(packet, known ? 'again' : 'new');
    packet.qos = 1;
    if (!known) this.#exactlyOnce.set(id, { isConfirmed: false });
    else if (known.isConfirmed) this.confirm(id, 'pubrec');
  }
}
