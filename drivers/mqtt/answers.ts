/** What devices answer to commands: by MQTT 5 response topic and correlation data, or by an id in the message. */
import { randomBytes } from 'node:crypto';
import type { IPublishPacket } from 'mqtt';
import type { Answer, Host } from '../../src/contract/driver.ts';
import { compilePath, parsePath } from '../../src/contract/json-path.ts';
import { limits } from '../../src/contract/limits.ts';
import type { SetAddress } from './address.ts';
import { granted } from './granted.ts';
import type { Link } from './link.ts';
import { decodeJson } from './payload/plain.ts';
import { brokerWords, failureFrom, reasonText } from './reasons.ts';

type Response = NonNullable<SetAddress['response']>;

/** A command that a device will answer. */
export interface Question {
  topic: string;
  /** In the correlation data, or in the payload as `{id}`. */
  id: string;
  /** What the device answered, or `unknown` if it did not in time. Does not reject. */
  answer(signal: AbortSignal): Promise<Answer>;
  /** Nobody waits any more. */
  drop(): void;
}

interface Waiting {
  response: Response;
  topic: string;
  settle(answer: Answer): void;
}

export class Answers {
  readonly #link: Link;
  readonly #host: Host;
  readonly #ownTopic: string;
  readonly #timeoutMs: number;
  readonly #subscribed = new Map<string, Promise<string | undefined>>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(link: Link, host: Host, clientId: string, timeoutMs: number) {
    this.#link = link;
    this.#host = host;
    this.#ownTopic = `fieldgate/${clientId.replaceAll(/[/+#]/g, '_')}/answers`;
    this.#timeoutMs = timeoutMs;
  }

  /** True if answers are heard on this topic. */
  isOurs(topic: string): boolean {
    return this.#subscribed.size > 0 && this.#subscribed.has(topic);
  }

  topicOf(response: Response): string {
    return response.topic ?? this.#ownTopic;
  }

  /** Makes sure that answers on this topic are heard; why they are not, if so. `isHeard`: another subscription brings it. */
  hear(topic: string, isHeard: boolean): Promise<string | undefined> {
    const known = this.#subscribed.get(topic);
    if (known !== undefined) return known;
    const asked = isHeard ? Promise.resolve(undefined) : this.#subscribe(topic);
    this.#subscribed.set(topic, asked);
    // After a refusal the next command asks again.
    void asked.then((fault) => fault === undefined || this.#subscribed.delete(topic));
    return asked;
  }

  ask(response: Response): Question {
    const id = randomBytes(8).toString('hex');
    const topic = this.topicOf(response);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { response, topic, settle: resolve });
    const drop = () => void this.#waiting.delete(id);
    const answer = (signal: AbortSignal) => {
      const unknown = (why: string) => resolve({ state: 'unknown', detail: `the broker took it, ${why}` });
      const where = `topic ${JSON.stringify(topic)}`;
      const takeBack = this.#host.clock.after(response.timeout, () =>
        unknown(`and the device did not answer on ${where} within ${response.timeout} ms`),
      );
      const aborted = () => unknown('and the answer of the device is no longer waited for');
      const lost = () => unknown('then the connection was lost before the device answered');
      signal.addEventListener('abort', aborted, { once: true });
      this.#link.whenLost(lost);
      return promise.finally(() => {
        takeBack();
        drop();
        signal.removeEventListener('abort', aborted);
        this.#link.offLost(lost);
      });
    };
    return { topic, id, answer, drop };
  }

  /** Takes a message of a topic that is ours. What was there before the command is no answer to it. */
  take(packet: IPublishPacket): void {
    if (packet.retain) return;
    const document = lazily(packet.payload as Buffer);
    const correlation = packet.properties?.correlationData;
    const byData = correlation === undefined ? undefined : this.#waiting.get(correlation.toString());
    const waiting = byData?.response.id === undefined ? byData : undefined;
    const meant = waiting?.topic === packet.topic ? waiting : this.#byId(packet.topic, document);
    meant?.settle(judge(meant.response, document));
  }

  /** Commands to one topic may have their id at different places. */
  #byId(topic: string, document: () => unknown): Waiting | undefined {
    const paths = new Set([...this.#waiting.values()].flatMap(({ topic: own, response }) => (own === topic ? (response.id ?? []) : [])));
    for (const path of paths) {
      const said = at(path, document);
      const waiting = typeof said === 'string' ? this.#waiting.get(said) : undefined;
      if (waiting?.topic === topic && waiting.response.id === path) return waiting;
    }
    return undefined;
  }

  async #subscribe(topic: string): Promise<string | undefined> {
    const where = `answers on topic ${JSON.stringify(topic)}`;
    const code = await granted(this.#link, this.#host.clock, topic, 1, this.#timeoutMs);
    if (code === undefined) return `the broker did not confirm that it tells ${where}`;
    return code >= failureFrom ? `the broker refuses to tell ${where}: ${reasonText(code)}` : undefined;
  }
}

/** The document in an answer, read when somebody wants it; undefined if it is none. */
function lazily(payload: Buffer): () => unknown {
  let read: { document: unknown } | undefined;
  return () => {
    read ??= { document: payload.length > limits.payloadBytesMax ? undefined : tried(payload) };
    return read.document;
  };
}

function tried(payload: Buffer): unknown {
  try {
    return decodeJson(payload);
  } catch {
    return undefined;
  }
}

const at = (path: string, document: () => unknown) => compilePath(parsePath(path))(document());

function judge({ status, ok, error }: Response, document: () => unknown): Answer {
  const why = error === undefined ? '' : brokerWords(at(error, document));
  if (status === undefined) return { state: 'acknowledged', detail: `the device answered${why}` };
  const said = at(status, document);
  if (said === ok) return { state: 'acknowledged', detail: 'the device says that it is done' };
  const words = said === undefined ? `nothing at ${status}` : brokerWords(JSON.stringify(said)).slice(2);
  return { state: 'refused', detail: `the device answered ${words}${why}; done would be ${JSON.stringify(ok)}` };
}
