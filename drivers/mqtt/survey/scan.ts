/** Which topics there are: heard on a connection of its own, so that nothing the gateway hears is touched. */
import type { IPublishPacket } from 'mqtt';
import type { Finding, Host, Survey } from '../../../src/contract/driver.ts';
import { limits } from '../../../src/contract/limits.ts';
import { granted } from '../granted.ts';
import { Incoming } from '../incoming.ts';
import { Link } from '../link.ts';
import type { Options } from '../options.ts';
import { failureFrom, reasonText } from '../reasons.ts';
import { Announcements } from './announcements.ts';
import { pointsOf, propose } from './families.ts';
import { type Guess, guess } from './guess.ts';
import type { ScanOptions } from './settings.ts';

interface Seen {
  topic: string;
  /** News, without what the broker had kept. */
  count: number;
  retained: boolean;
  bytes: number;
  last: Buffer;
  /** What the last message seems to be, once somebody asked. */
  guess: Guess | undefined;
  copiedMs: number;
  isNew: boolean;
}

export interface ScanDeps {
  /** The connection the devices would be behind. */
  connection: string;
  options: Options;
  host: Host;
  clientId: string;
}

export async function scan(deps: ScanDeps, { filter, duration }: ScanOptions, survey: Survey, signal: AbortSignal): Promise<void> {
  const { clock } = deps.host;
  const topics = new Map<string, Seen>();
  const announcements = new Announcements();
  let messages = 0;
  let left = 0;
  const startedMs = clock.monotonicMs();
  const take = (packet: IPublishPacket) => {
    messages++;
    if (announcements.take(packet.topic, packet.payload as Buffer)) return;
    const known = topics.get(packet.topic);
    if (!known && topics.size >= limits.mqttScanTopicsMax) {
      left++;
      return;
    }
    topics.set(packet.topic, seen(known, packet, clock.monotonicMs()));
  };
  const link = await Link.open({ ...trial(deps), prepare: ({ client }) => hear(client, take) }, signal);
  try {
    await survey.turn('scan', () => subscribe(link, deps, filter));
    const looks = Math.max(1, Math.ceil(duration / limits.mqttScanLookMs));
    for (let look = 1; look <= looks; look++) {
      await Promise.race([clock.sleep(duration / looks, signal), lostOf(link)]);
      const elapsedMs = clock.monotonicMs() - startedMs;
      survey.progress(look, looks, `${topics.size} topics and ${messages} messages heard under ${filter}`);
      for (const finding of announcements.findings(deps.options)) survey.found(finding);
      for (const topic of topics.values()) if (topic.isNew || look === looks) survey.found(findingOf(topic, elapsedMs));
      for (const topic of topics.values()) topic.isNew = false;
    }
  } finally {
    await link.close();
  }
  const all = [...topics.values()].map((one) => ({ topic: one.topic, guess: guessOf(one) }));
  for (const { id, patterns, topics: count, device } of propose(all, deps.connection)) {
    survey.found({
      id: `device ${id}`,
      kind: 'device',
      text: id.includes('{')
        ? `${count} topics look alike: ${patterns.join(', ')}`
        : `${count === 1 ? 'A topic' : `${count} topics`} of one device: ${patterns.join(', ')}`,
      values: { device: id, topics: count, points: (device.points as unknown[]).length, patterns: patterns.join(' ') },
      proposes: { devices: [device] },
    });
  }
  if (left > 0)
    survey.found({
      id: 'left out',
      kind: 'left-out',
      text: `${left} messages of further topics were not looked at: at most ${limits.mqttScanTopicsMax} topics are; a narrower filter shows the others`,
      values: { messages: left },
    });
}

/** Nothing of it is the connection's own. */
export function trial({ options, host, clientId }: ScanDeps) {
  const { traffic: _traffic, ...rest } = host;
  return { options, host: { ...rest, trial: true as const, lost: () => {} }, clientId, endings: undefined };
}

function hear(client: Link['client'], take: (packet: IPublishPacket) => void): void {
  // Puts shortened topics back.
  new Incoming(client, false);
  client.handleMessage = (packet, callback) => {
    take(packet);
    callback();
  };
}

function lostOf(link: Link): Promise<never> {
  return new Promise((_resolve, reject) => link.whenLost((error) => (link.closing ? undefined : reject(error))));
}

async function subscribe(link: Link, { host, options }: ScanDeps, filter: string): Promise<void> {
  const code = await granted(link, host.clock, filter, 0, options.timeout);
  if (code === undefined) throw new Error(`the broker did not confirm the subscription of ${JSON.stringify(filter)}`);
  if (code >= failureFrom) throw new Error(`the broker refuses to tell ${JSON.stringify(filter)}: ${reasonText(code)}`);
}

function seen(known: Seen | undefined, { topic, payload, retain }: IPublishPacket, nowMs: number): Seen {
  const one = known ?? {
    topic,
    count: 0,
    retained: false,
    bytes: 0,
    last: Buffer.alloc(0),
    guess: undefined,
    copiedMs: Number.NEGATIVE_INFINITY,
    isNew: true,
  };
  if (!retain) one.count++;
  one.retained ||= retain;
  one.bytes += payload.length;
  // The payload is a view of a whole chunk of the socket; a topic that is told a thousand times a second need not be copied each time.
  if (nowMs - one.copiedMs >= limits.mqttScanLookMs && payload.length <= limits.payloadBytesMax) {
    one.last = Buffer.from(payload);
    one.guess = undefined;
    one.copiedMs = nowMs;
    one.isNew = true;
  }
  return one;
}

function guessOf(one: Seen): Guess {
  one.guess ??= guess(one.last);
  return one.guess;
}

function findingOf(one: Seen, elapsedMs: number): Finding {
  const { topic, count, retained, bytes, last } = one;
  const found = guessOf(one);
  const perSecond = Math.round((count / Math.max(elapsedMs, 1)) * 100_000) / 100;
  const paths = found.places.flatMap(({ path }) => path ?? []);
  const points = pointsOf({ levels: topic.split('/'), guess: found }, new Set());
  return {
    id: `topic ${topic}`,
    kind: 'topic',
    text: `${topic}: ${count === 0 ? 'kept by the broker' : `${count} ${count === 1 ? 'message' : 'messages'}`}, ${describe(found)}`,
    values: {
      topic,
      count,
      perSecond,
      retained,
      bytes,
      format: [...found.unpack, found.format].join(' '),
      last: preview(last),
      paths: paths.join(' '),
    },
    ...(points.length === 0 ? {} : { proposes: { points } }),
  };
}

function describe({ format, unpack, places }: Guess): string {
  const what = format === 'empty' ? 'empty' : [...unpack, format].join(', then ');
  return places.length > 1 ? `${what} with ${places.length} values` : what;
}

/** The beginning as a text where it is one, else in hexadecimal. */
function preview(payload: Buffer): string {
  const head = payload.subarray(0, 256);
  const text = head.toString();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return /[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text.slice(0, -1)) ? head.subarray(0, 64).toString('hex') : text;
}
