/** How a broker wants to be spoken to and what it allows: both versions are tried, each on a connection of its own that publishes nothing. */
import type { Finding, Survey } from '../../../src/contract/driver.ts';
import { messageOf } from '../../../src/contract/fault.ts';
import { granted } from '../granted.ts';
import { Link } from '../link.ts';
import { brokerAddress } from '../options.ts';
import { failureFrom } from '../reasons.ts';
import { type ScanDeps, trial } from './scan.ts';
import type { ProbeOptions } from './settings.ts';

const versions = [
  { version: 5, name: 'MQTT 5' },
  { version: 4, name: 'MQTT 3.1.1' },
] as const;

/** Nobody publishes here. */
const emptyTopic = 'fieldgate/probe';

export async function probe(deps: ScanDeps, { timeout }: ProbeOptions, survey: Survey, signal: AbortSignal): Promise<void> {
  const urls = [deps.options.url, ...deps.options.fallbacks];
  const total = urls.length * versions.length;
  let done = 0;
  let isBestTold = false;
  for (const url of urls) {
    for (const { version, name } of versions) {
      const { text } = brokerAddress(url);
      survey.progress(done, total, `trying ${name} at ${text}`);
      const options = { ...deps.options, url, fallbacks: [], protocolVersion: version, timeout };
      const finding: Omit<Finding, 'id'> = await survey.turn('probe', (own) =>
        tryVersion({ ...deps, options }, name, AbortSignal.any([signal, own, AbortSignal.timeout(timeout)]), signal),
      );
      const isBest: boolean = !isBestTold && finding.values.works === true;
      isBestTold ||= isBest;
      survey.found({ ...finding, id: `${text} ${name}`, ...(isBest ? { proposes: { connection: { protocolVersion: version } } } : {}) });
      survey.progress(++done, total, `tried ${name} at ${text}`);
    }
  }
}

async function tryVersion(deps: ScanDeps, name: string, within: AbortSignal, signal: AbortSignal): Promise<Omit<Finding, 'id'>> {
  const broker = brokerAddress(deps.options.url).text;
  let link: Link;
  try {
    link = await Link.open({ ...trial(deps), prepare: () => {} }, within);
  } catch (error) {
    signal.throwIfAborted();
    const why = within.aborted ? `no answer within ${deps.options.timeout} ms` : messageOf(error);
    return {
      kind: 'version',
      text: `${name} does not work: ${why}`,
      values: { broker, version: name, works: false, error: why, ...nothingKnown },
    };
  }
  try {
    const said = link.client.serverProperties ?? {};
    const isFive = deps.options.protocolVersion === 5;
    // What MQTT 3.1.1 does not say is tried; of MQTT 5 what is not said is allowed (§3.2.2.3).
    const values = {
      maximumQoS: isFive ? (said.maximumQoS ?? 2) : ((await qosOf(deps, link, emptyTopic, 2)) ?? null),
      retain: isFive ? said.retainAvailable !== false : null,
      wildcards: isFive ? said.wildcardSubscriptionAvailable !== false : (await qosOf(deps, link, `${emptyTopic}/+`, 0)) !== undefined,
      sharedSubscriptions: isFive
        ? said.sharedSubscriptionAvailable !== false
        : (await qosOf(deps, link, `$share/fieldgate/${emptyTopic}`, 0)) !== undefined,
      everything: (await qosOf(deps, link, '#', 0)) !== undefined,
      identifiers: isFive ? said.subscriptionIdentifiersAvailable !== false : false,
      serverKeepAliveSeconds: said.serverKeepAlive ?? null,
      packetBytesMax: said.maximumPacketSize ?? null,
      receiveMaximum: said.receiveMaximum ?? null,
      topicAliasMaximum: said.topicAliasMaximum ?? null,
      sessionExpirySeconds: said.sessionExpiryInterval ?? null,
    };
    const no = [
      ...(values.retain === false ? ['keeps no values'] : []),
      ...(values.wildcards ? [] : ['takes no wildcards']),
      ...(values.everything ? [] : ['does not tell #']),
      ...(values.sharedSubscriptions ? [] : ['shares no subscriptions']),
    ];
    return {
      kind: 'version',
      text: `${name} works, QoS up to ${values.maximumQoS ?? 'unknown'}${no.length > 0 ? `; the broker ${no.join(', ')}` : ''}`,
      values: { broker, version: name, works: true, error: null, ...values },
      score: isFive ? 1 : 0.5,
    };
  } finally {
    await link.close();
  }
}

const nothingKnown = {
  maximumQoS: null,
  retain: null,
  wildcards: null,
  sharedSubscriptions: null,
  everything: null,
  identifiers: null,
  serverKeepAliveSeconds: null,
  packetBytesMax: null,
  receiveMaximum: null,
  topicAliasMaximum: null,
  sessionExpirySeconds: null,
};

/** The QoS a subscription was granted; undefined if it was refused, or not answered. It ends with the connection. */
async function qosOf({ host, options }: ScanDeps, link: Link, filter: string, qos: 0 | 1 | 2): Promise<number | undefined> {
  const code = await granted(link, host.clock, filter, qos, options.timeout);
  return code !== undefined && code < failureFrom ? code : undefined;
}
