/** Topics that misbehave, by their name (the table is in simulators/README.md). */
import { type Every, everyByTimer } from './every.ts';
import type { MqttBroker } from './mqtt-broker.ts';

export interface MqttFaultsOptions {
  broker: Pick<MqttBroker, 'publish'>;
  /** Milliseconds since 1970. */
  nowMs?: () => number;
  every?: Every;
}

const everyMs = 1_000;
/** A thousand messages a second, in bursts; what a late timer missed comes with the next. */
const floodEveryMs = 50;
const floodPerMs = 1;
/** A device that could not send for a while, and one whose clock is wrong. */
const lateMs = 20 * 60_000;
const wrongClockMs = 86_400_000;
/** More than the gateway reads of one message (64 KiB). */
const hugeBytes = 70_000;

/** What comes in the place of `{"value": 21.5}`. */
const junk = [
  '',
  '{"value": 21',
  '\u0000\u0001\u0002',
  'NaN, sorry',
  '[]',
  '{"value": {"value": 1}}',
  '['.repeat(5_000),
  'x'.repeat(hugeBytes),
];

export function startMqttFaults(options: MqttFaultsOptions): { stop(): void } {
  const { broker, nowMs = Date.now, every = everyByTimer } = options;
  const startMs = nowMs();
  let turn = 0;
  let count = 0;
  const said = (value: number, ms: number) => JSON.stringify({ value, ts: ms });
  broker.publish('faults/retained', '{"value": "��', { retain: true });
  // Said once, retained, and never again.
  broker.publish('faults/silent', '{"value": 1}', { retain: true });
  const stops = [
    every(everyMs, () => {
      turn += 1;
      broker.publish('faults/junk', junk[turn % junk.length] ?? '');
      broker.publish('faults/late', said(turn, nowMs() - lateMs));
      broker.publish('faults/clock', said(turn, nowMs() + wrongClockMs));
    }),
    every(floodEveryMs, () => {
      for (const due = (nowMs() - startMs) * floodPerMs; count < due; count++) broker.publish('faults/flood', String(count));
    }),
  ];
  return {
    stop() {
      for (const stop of stops.splice(0)) stop();
    },
  };
}
