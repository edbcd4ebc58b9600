/**
 * A host application of Sparkplug B 3.0 on a connection: hears edge nodes from birth to death, keeps their messages in order, asks for a new birth where it
 * does not understand, and sends them commands. docs/sparkplug.md has the statements of the specification with the tests that show them.
 */
import type { Device, Point } from '../../../src/contract/device.ts';
import type { Answer, Host, Line, Sink } from '../../../src/contract/driver.ts';
import { messageOf } from '../../../src/contract/fault.ts';
import { limits } from '../../../src/contract/limits.ts';
import type { Value } from '../../../src/contract/sample.ts';
import type { Address } from '../address.ts';
import type { DeviceAddress } from '../driver.ts';
import type { Link } from '../link.ts';
import type { Options } from '../options.ts';
import { describe } from './births.ts';
import { EdgeNode } from './edge-node.ts';
import type { Born } from './node.ts';
import { type Payload, readPayload, writeCommand } from './payload.ts';
import { Rebirths } from './rebirths.ts';
import type { SparkplugOptions } from './settings.ts';
import { HostState } from './state.ts';
import { commandTopic, filtersOf, nameOf, type Place, parseSparkplugTopic, type SparkplugTopic } from './topic.ts';
import { typeNumber, writeValue } from './values.ts';

/** The convention's name, for people. */
export const convention = 'Sparkplug B';

/** Edge nodes that are asked for a birth when the connection is made anew, by this name in its memory. */
const nodesAs = 'sparkplug nodes';

const rebirth = 'Node Control/Rebirth';

export class SparkplugHost {
  readonly state: HostState;
  readonly #options: SparkplugOptions;
  readonly #line: Line<Options, DeviceAddress, Address>;
  readonly #host: Host;
  readonly #rebirths: Rebirths;
  readonly #nodes = new Map<string, EdgeNode>();
  /** Topics whose last message was not understood. */
  readonly #faulty = new Set<string>();
  readonly #online = Promise.withResolvers<void>();
  #link: Link | undefined;
  #sink: Sink<Address> | undefined;
  #heldBytes = 0;
  #isOnline = false;

  constructor(line: Line<Options, DeviceAddress, Address>, options: SparkplugOptions, host: Host) {
    this.#line = line;
    this.#options = options;
    this.#host = host;
    this.state = new HostState(options.hostId, host.clock);
    this.#rebirths = new Rebirths(host.clock, (node) => this.#askBirth(node));
  }

  /** What is subscribed to: the own state first (tck-id-host-topic-phid-birth-sub-required). */
  get filters(): string[] {
    return [this.state.topic, ...filtersOf(this.#options.groups)];
  }

  /** Resolves when the birth of this host was sent: nothing may be published before (tck-id-host-topic-phid-birth-message). */
  get online(): Promise<void> {
    return this.#online.promise;
  }

  use(link: Link): void {
    this.#link = link;
    link.whenLost(() => this.#close());
  }

  /** From now on what is heard goes to this sink; devices that are known are announced to it. Points that are new get a value only by a new birth. */
  attach(sink: Sink<Address>): void {
    this.#sink = sink;
    for (const node of this.#nodes.values()) for (const born of node.all()) if (born.isAlive && this.#show(born)) this.#doubt(born.place);
  }

  detach(sink: Sink<Address>): void {
    if (this.#sink === sink) this.#sink = undefined;
  }

  /** What was asked for is heard: this host is there, and edge nodes of an earlier connection, which may have spoken meanwhile, begin anew. */
  begin(): void {
    if (this.#isOnline || !this.#link || this.#link.lost) return;
    this.#isOnline = true;
    this.#sayOnline();
    this.#online.resolve();
    if (!this.#options.rebirth) return;
    for (const name of this.#rememberedNodes()) if (!this.#nodes.get(name)?.isBorn) this.#rebirths.ask(name);
  }

  /** Takes a message; true if it is one of Sparkplug. Never throws. */
  take(topic: string, payload: Buffer, retained: boolean): boolean {
    if (topic === this.state.topic) {
      if (this.#isOnline && this.state.isDenied({ topic, payload })) this.#sayOnline();
      return true;
    }
    const place = parseSparkplugTopic(topic);
    if (!place) return false;
    try {
      // A broker keeps only what is published so, and a birth that is kept is not the last word.
      if (retained) throw new Error('is retained, which Sparkplug forbids: it is not taken');
      if (payload.length > limits.mqttPacketBytesMax) throw new Error(`is larger than ${limits.mqttPacketBytesMax} bytes`);
      this.#receive(place, payload, readPayload(payload));
      if (this.#faulty.delete(topic)) this.#note(topic, undefined);
    } catch (error) {
      if (this.#faulty.size < limits.discoveryRefusedMax) this.#faulty.add(topic);
      this.#note(topic, `${topic}: the message ${messageOf(error)}`);
      if (place.type !== 'NDEATH') this.#doubt(place);
    }
    return true;
  }

  /** Sends a value to a metric: NCMD or DCMD, by the alias of the last birth. */
  async set(point: Point<Address>, value: Value, signal: AbortSignal): Promise<Answer> {
    const { metric: name } = point.address;
    const born = [...this.#nodes.values()].flatMap((node) => node.all()).find((one) => one.devices.some(({ id }) => id === point.device));
    const known = name === undefined ? undefined : born?.known(name);
    if (!born || !known || name === undefined)
      return { state: 'not-sent', detail: 'the edge node has not announced this metric since the connection was made' };
    if (!born.isAlive) return { state: 'not-sent', detail: `${nameOf(born.place)} is dead since its last death certificate` };
    const isAllowed = this.#options.commands === 'all' || (this.#options.commands === 'devices' && born.place.device !== undefined);
    if (!isAllowed) return { state: 'refused', detail: `"sparkplug.commands" of the connection is "${this.#options.commands}"` };
    await this.online;
    if (signal.aborted) return { state: 'not-sent', detail: messageOf(signal.reason) };
    const { alias, type } = known;
    return this.#publish(
      commandTopic(born.place),
      writeCommand({ name, alias, type: typeNumber(type), write: (to) => writeValue(type, value, to) }, this.#nowMs()),
    );
  }

  #receive(topic: SparkplugTopic, bytes: Buffer, payload: Payload): void {
    const node = this.#node(topic);
    if (!node) throw new Error(`is of one edge node too many: ${limits.sparkplugNodesMax} are known`);
    if (topic.type === 'NDEATH') {
      if (node.isDeathOf(payload)) this.#dead(node.all(), undefined, 'its edge node has died (NDEATH)', () => node.end());
      return;
    }
    node.take(topic, bytes, payload);
  }

  #node({ group, node }: Place): EdgeNode | undefined {
    const name = nameOf({ group, node });
    const known = this.#nodes.get(name);
    if (known || this.#nodes.size >= limits.sparkplugNodesMax) return known;
    const made = new EdgeNode({ group, node }, this.#host.clock, this.#options.reorderTimeout, {
      hold: (bytes) => {
        if (this.#heldBytes + bytes > limits.mqttHeldBytesMax) return false;
        this.#heldBytes += bytes;
        return true;
      },
      release: (bytes) => {
        this.#heldBytes -= bytes;
      },
      born: (born, payload) => this.#born(name, born, payload),
      dead: (born, payload) => this.#dead([born], payload.timestampMs, 'its edge node says that it is gone (DDEATH)'),
      missed: (born) => this.#dead([born], undefined, 'it was not born again with its edge node'),
      said: (born, payload) => this.#said(name, born, payload),
      missing: (what) => {
        this.#note(name, `${name}: ${what}`);
        this.#doubt(made.place);
      },
      refused: (why) => this.#note(name, why),
      isRoomFor: () => [...this.#nodes.values()].reduce((sum, { count }) => sum + count, 0) < limits.discoveredDevicesMax,
    });
    this.#nodes.set(name, made);
    return made;
  }

  #born(name: string, born: Born, payload: Payload): void {
    if (born.place.device === undefined) {
      this.#rebirths.born(name);
      this.#remember(name);
      this.#note(name, undefined);
    }
    this.#show(born);
    const detail = born.place.device === undefined ? 'its birth (NBIRTH)' : 'its birth (DBIRTH)';
    for (const { id } of born.devices) this.#sink?.availability(id, { state: 'online', detail, retained: false });
    this.#said(name, born, payload);
  }

  /** Announces the device of a birth; a device of the settings with the same id stands in its place. True if it has points it had not. */
  #show(born: Born): boolean {
    const sink = this.#sink;
    if (!sink) return false;
    const { group, node, device } = born.place;
    const own = this.#line.devices.filter(
      ({ address: { sparkplug: at } }) => at?.group === group && at.node === node && at.device === device,
    );
    let announced: Device<unknown, Address> | undefined;
    if (!own.some(({ id }) => id === born.id)) {
      const { raw, fault } = describe(born.place, born.metrics, this.#options.commands);
      announced = sink.announce(convention, raw);
      this.#note(`metrics of ${nameOf(born.place)}`, fault);
    }
    return born.shownBy(announced ? [...own, announced] : own);
  }

  #said(name: string, born: Born, payload: Payload): void {
    const { readings, stranger } = born.understand(payload);
    if (readings.length > 0) this.#sink?.samples(readings);
    if (stranger === undefined) return;
    this.#note(name, `${nameOf(born.place)}: ${stranger} is not in its birth`);
    this.#doubt(born.place);
  }

  #dead(all: readonly Born[], timestampMs: bigint | undefined, detail: string, then?: () => void): void {
    for (const born of all) {
      if (!born.isAlive) continue;
      born.isAlive = false;
      const timeNs = timestampMs === undefined ? {} : { timeNs: timestampMs * 1_000_000n };
      for (const { id } of born.devices) this.#sink?.availability(id, { state: 'offline', detail, retained: false, ...timeNs });
    }
    then?.();
  }

  /** What the edge node says is not understood: only a new birth helps. */
  #doubt({ group, node }: Place): void {
    if (this.#options.rebirth && this.#isOnline) this.#rebirths.ask(nameOf({ group, node }));
  }

  #askBirth(name: string): void {
    const [group = '', node = ''] = name.split('/');
    const write = writeCommand(
      { name: rebirth, alias: undefined, type: typeNumber('Boolean'), write: (to) => writeValue('Boolean', true, to) },
      this.#nowMs(),
    );
    void this.#publish(commandTopic({ group, node }), write);
  }

  /** QoS 0, never kept (tck-id-topics-ncmd-mqtt, tck-id-topics-dcmd-mqtt). */
  #publish(topic: string, payload: Buffer): Promise<Answer> {
    const link = this.#link;
    if (!link || link.lost || link.closing || !link.client.connected)
      return Promise.resolve({ state: 'not-sent', detail: 'the broker is not connected' });
    this.#host.traffic?.({ direction: 'out', bytes: payload, meaning: 'QoS 0', unit: topic });
    return new Promise((resolve) => {
      const lost = (error: Error) => resolve({ state: 'unknown', detail: `sent, then the connection was lost: ${messageOf(error)}` });
      link.whenLost(lost);
      link.client.publish(topic, payload, { qos: 0, retain: false }, (error) => {
        link.offLost(lost);
        if (error) resolve({ state: 'unknown', detail: messageOf(error) });
        else resolve({ state: 'acknowledged', detail: 'sent with QoS 0, as Sparkplug wants it: nobody confirms it' });
      });
    });
  }

  #sayOnline(): void {
    const { topic, payload, qos, retain } = this.state.born();
    this.#link?.client.publish(topic, payload, { qos, retain }, (error) => {
      if (error && !this.#link?.closing)
        this.#host.log.warn('the broker did not take the state of this host', { topic, error: messageOf(error) });
    });
  }

  #note(what: string, message: string | undefined): void {
    this.#sink?.misunderstood(convention, what, message);
  }

  #rememberedNodes(): string[] {
    const known = this.#host.memory.get(nodesAs);
    return Array.isArray(known) ? known.filter((name) => typeof name === 'string' && name.split('/').length === 2) : [];
  }

  #remember(name: string): void {
    const known = this.#rememberedNodes();
    if (known.includes(name)) return;
    const all = [...known, name];
    if (Buffer.byteLength(JSON.stringify(all)) <= limits.sparkplugMemoryBytesMax) this.#host.memory.set(nodesAs, all);
  }

  #close(): void {
    this.#rebirths.close();
    for (const node of this.#nodes.values()) node.end();
    this.#online.resolve();
  }

  #nowMs(): bigint {
    return this.#host.clock.nowNs() / 1_000_000n;
  }
}
