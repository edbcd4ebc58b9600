/** A broker connection's settings. The password and TLS material are secrets, not settings (DESIGN §5). */
import * as z from 'zod';
import { takenBy } from '../../src/contract/checked-text.ts';
import { durationMs, formatDurationMs } from '../../src/contract/duration.ts';
import { limits } from '../../src/contract/limits.ts';
import { sparkplugSchema } from './sparkplug/settings.ts';
import { parseTopic } from './topic.ts';

export const secrets = ['password', 'ca', 'cert', 'key'] as const;

const defaultPorts: Record<string, number> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };

const urlSchema = z.string().superRefine((text, context) => {
  const fault = urlFault(text);
  if (fault) context.addIssue({ code: 'custom', message: fault });
});

/** The faults do not quote the address: it may hold a password. */
function urlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !(url.protocol in defaultPorts) || url.hostname === '')
    return 'is no broker address; allowed is mqtt://, mqtts://, ws:// or wss:// with a host: mqtt://10.0.0.5:1883';
  if (url.username !== '' || url.password !== '') {
    return 'has a user name or password in it, and settings are public; put the user name into "username" and the password into the secret "<connection id>.password"';
  }
  if (url.search !== '' || url.hash !== '')
    return 'has a ? or # part; settings are public and tokens do not belong into them, allowed is scheme, host, port and for ws a path';
  if (!url.protocol.startsWith('ws') && url.pathname !== '' && url.pathname !== '/')
    return 'has a path; only ws:// and wss:// have one, topics belong to the points';
  return undefined;
}

/** How people and brokers call the two versions. */
const versionSchema = z
  .union([z.literal(5), z.literal(4), z.literal(['5', '5.0', '3.1.1'])], { error: 'allowed is 5 (MQTT 5) or 4 (MQTT 3.1.1)' })
  .transform((version): 4 | 5 => (version === 4 || version === '3.1.1' ? 4 : 5));

const topicSchema = z.string().superRefine(
  takenBy((text) => {
    if (parseTopic(text).fixed === undefined) throw new Error('has a placeholder; allowed is one fixed topic');
  }),
);

export const qosSchema = z.union([z.literal(0), z.literal(1), z.literal(2)], {
  error: 'allowed is 0 (at most once), 1 (at least once) or 2 (exactly once)',
});

export const userPropertiesSchema = z
  .record(z.string().min(1).max(128), z.string().max(1024))
  .refine((properties) => Object.keys(properties).length <= 32, 'has more than 32 names');

const noticeSchema = z.strictObject({
  topic: topicSchema.describe('Where it is published').meta({ examples: ['fieldgate/north/status'] }),
  payload: z
    .string()
    .max(1024)
    .describe('The text')
    .meta({ examples: ['online'] }),
  qos: qosSchema.default(1).describe('The quality of service'),
  retain: z.boolean().default(true).describe('The broker keeps it for whoever comes later'),
});

export const optionsSchema = z
  .strictObject({
    url: urlSchema
      .describe('mqtt://host:1883, mqtts://host:8883 (TLS), ws://host/path or wss://host/path')
      .meta({ examples: ['mqtts://broker.example:8883'] }),
    fallbacks: z
      .array(urlSchema)
      .max(limits.mqttBrokersMax - 1)
      .default([])
      .describe('Further brokers of the same cluster, tried in this order each time the one before cannot be opened')
      .meta({ examples: [['mqtts://broker2.example:8883']] }),
    protocolVersion: versionSchema.default(5).describe('5, or 4 for MQTT 3.1.1. MQTT 5 brokers say why they refuse'),
    clientId: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, 'allowed are 1 to 128 printable ASCII characters without blanks')
      .optional()
      .describe('The name of this client at the broker; no two clients may share one. Made once and kept unless said')
      .meta({ examples: ['fieldgate-north'] }),
    username: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('The password is the secret "password"')
      .meta({ examples: ['grafana'] }),
    clean: z.boolean().default(true).describe('False: the broker keeps messages of QoS 1 and 2 while the gateway is away'),
    sessionExpiry: durationMs({ minMs: 1_000, maxMs: 365 * 86_400_000 })
      .prefault(formatDurationMs(86_400_000))
      .describe('How long the broker keeps them (MQTT 5, with clean false)'),
    receiveMaximum: z
      .int()
      .min(1)
      .max(65_535)
      .default(limits.mqttReceiveMax)
      .describe('Messages of QoS 1 and 2 the broker may send before the first of them is confirmed (MQTT 5); it has a limit of its own'),
    topicAliasMaximum: z
      .int()
      .min(0)
      .max(65_535)
      .default(limits.mqttTopicAliasMax)
      .describe('Topics the broker may shorten to a number (MQTT 5)'),
    userProperties: userPropertiesSchema
      .optional()
      .describe('Said to the broker on connecting (MQTT 5)')
      .meta({ examples: [{ site: 'north' }] }),
    share: z
      .string()
      .regex(/^[\w.-]{1,128}$/, 'allowed are 1 to 128 of A-Z a-z 0-9 _ . -')
      .optional()
      .describe(
        'The name of a group of gateways: each message goes to one of them ($share/<name>/<topic>). The broker keeps no values for a group, and topics that say whether a device is there go to all',
      )
      .meta({ examples: ['fieldgate'] }),
    homeassistant: z
      .strictObject({
        prefix: topicSchema.default('homeassistant').describe('The topic below which devices announce themselves'),
      })
      .optional()
      .describe(
        'Devices that announce themselves for Home Assistant (Zigbee2MQTT, Tasmota, ESPHome and others) become devices with their points, units, states and commands',
      )
      .meta({ examples: [{ prefix: 'homeassistant' }] }),
    tasmota: z
      .strictObject({
        prefix: topicSchema.default('tasmota/discovery').describe('The topic below which devices announce themselves'),
        ask: z
          .boolean()
          .default(true)
          .describe(
            'Whether a device is asked for its telemetry when it is found and after each connection (TelePeriod without a number); else its values come with the next one, by default within five minutes',
          ),
      })
      .optional()
      .describe("Devices with Tasmota's own discovery (SetOption19 0) become devices with their relays, lights, shutters and sensors")
      .meta({ examples: [{ prefix: 'tasmota/discovery' }] }),
    sparkplug: sparkplugSchema
      .optional()
      .describe(
        'The gateway is a host application of Sparkplug B: edge nodes and their devices become devices with their metrics, states and commands',
      )
      .meta({ examples: [{ hostId: 'fieldgate-north', groups: ['Plant'], commands: 'devices' }] }),
    birth: noticeSchema
      .optional()
      .describe('Published whenever the gateway has connected')
      .meta({ examples: [{ topic: 'fieldgate/north/status', payload: 'online' }] }),
    will: noticeSchema
      .extend({
        delay: durationMs({ maxMs: 86_400_000 })
          .prefault('0ms')
          .describe('How long the broker waits for the gateway to come back before it publishes it (MQTT 5)'),
      })
      .optional()
      .describe('Published by the broker when the gateway is lost, and by the gateway when it ends the connection in order')
      .meta({ examples: [{ topic: 'fieldgate/north/status', payload: 'offline' }] }),
    keepalive: durationMs({ minMs: 1_000, maxMs: 65_535_000 })
      .prefault(formatDurationMs(limits.mqttKeepaliveMs))
      .describe('A dead link is noticed after one and a half times this'),
    timeout: durationMs({ minMs: 10, maxMs: 60_000 })
      .prefault(formatDurationMs(limits.requestTimeoutMs))
      .describe('How long the broker may take to confirm'),
    tls: z
      .strictObject({
        verify: z.boolean().default(true).describe('False accepts any certificate: for a test bench only'),
        serverName: z
          .string()
          .min(1)
          .max(253)
          .optional()
          .describe("The name in the broker's certificate, if it is not the host of the url")
          .meta({ examples: ['broker.example'] }),
        alpn: z
          .array(z.string().regex(/^[\x21-\x7e]{1,64}$/, 'allowed are 1 to 64 printable ASCII characters'))
          .max(8)
          .default([])
          .describe('Protocols offered while TLS is negotiated, for brokers that share a port with others')
          .meta({ examples: [['mqtt'], ['x-amzn-mqtt-ca']] }),
      })
      .prefault({})
      .describe('For mqtts and wss. The secrets ca, cert and key are PEM texts'),
  })
  .superRefine((options, context) => {
    if (!options.clean && options.clientId === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['clientId'],
        message: 'is missing; with "clean": false the broker must know the gateway again by a fixed name',
      });
    }
    if (!options.sparkplug) return;
    const against = (path: 'clean' | 'birth' | 'will', message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (!options.clean) against('clean', 'is false; a host application of Sparkplug begins anew each time, so allowed is true');
    if (options.birth) against('birth', 'cannot be with "sparkplug", whose own birth must be the first message');
    if (options.will)
      against('will', 'cannot be with "sparkplug": a connection has one last will, and there it is that of the host application');
  });

export type Options = z.output<typeof optionsSchema>;

/** Scheme, host and port of a broker. */
export function brokerAddress(from: string): { secure: boolean; host: string; port: number; text: string } {
  const url = new URL(from);
  const port = url.port === '' ? (defaultPorts[url.protocol] ?? 0) : Number(url.port);
  const host = url.hostname.toLowerCase();
  return { secure: url.protocol === 'mqtts:' || url.protocol === 'wss:', host, port, text: `${url.protocol}//${host}:${port}` };
}
