/**
 * An edge node of Sparkplug B on your desk: `Desk/Line 1` with a press that can be switched and set. It tells by exception, and is born again when a host
 * application asks for it.
 */
import { type Every, everyByTimer } from './every.ts';
import type { MqttBroker } from './mqtt-broker.ts';
import { ordersIn, payloadOf, type SaidMetric } from './sparkplug-payload.ts';

export interface LineOptions {
  broker: Pick<MqttBroker, 'publish' | 'obey'>;
  /** Milliseconds since 1970. */
  nowMs?: () => number;
  /** A number in [0, 1). */
  random?: () => number;
  every?: Every;
}

const place = (type: string, device?: string) => `spBv1.0/Desk/${type}/Line 1${device === undefined ? '' : `/${device}`}`;
/** Numbers of data types: UInt64, Float, Boolean, Int64. */
const types = { uint64: 8, float: 9, boolean: 11, int64: 4 };
const strokeEveryMs = 1_000;

export function startLine({ broker, nowMs = Date.now, random = Math.random, every = everyByTimer }: LineOptions): { stop(): void } {
  let seq = 0;
  let strokes = 81_204;
  let isRunning = true;
  let force = 12.5;
  const say = (type: string, device: string | undefined, metrics: SaidMetric[]) => {
    broker.publish(place(type, device), payloadOf(metrics, nowMs(), seq));
    seq = (seq + 1) % 256;
  };
  const told = {
    strokes: (): SaidMetric => ({ alias: 1, value: { uint: strokes } }),
    running: (): SaidMetric => ({ alias: 2, value: { flag: isRunning } }),
    force: (): SaidMetric => ({ alias: 3, value: { float: force } }),
    pressure: (): SaidMetric => ({ alias: 4, value: { float: isRunning ? Math.round((80 + 4 * random()) * 10) / 10 : 0 } }),
  };
  const birth = () => {
    seq = 0;
    say('NBIRTH', undefined, [
      { name: 'bdSeq', type: types.int64, value: { uint: 0 } },
      { name: 'Node Control/Rebirth', type: types.boolean, value: { flag: false } },
      { name: 'Started', type: 13, value: { uint: startedMs } },
    ]);
    say('DBIRTH', 'Press', [
      { ...told.strokes(), name: 'Strokes', type: types.uint64 },
      { ...told.running(), name: 'Running', type: types.boolean },
      { ...told.force(), name: 'Settings/Force', type: types.float },
      { ...told.pressure(), name: 'Hydraulics/Pressure', type: types.float },
    ]);
  };
  const startedMs = nowMs();
  birth();
  broker.obey(place('NCMD'), (_, payload) => {
    if (ordersIn(payload).some(({ name, value }) => name === 'Node Control/Rebirth' && value === true)) birth();
  });
  broker.obey(place('DCMD', 'Press'), (_, payload) => {
    for (const { alias, value } of ordersIn(payload)) {
      if (alias === 2 && typeof value === 'boolean') {
        isRunning = value;
        say('DDATA', 'Press', [told.running(), told.pressure()]);
      } else if (alias === 3 && typeof value === 'number' && value >= 0 && value <= 20) {
        force = value;
        say('DDATA', 'Press', [told.force()]);
      }
    }
  });
  const stop = every(strokeEveryMs, () => {
    if (!isRunning) return;
    strokes += 1;
    say('DDATA', 'Press', [told.strokes(), told.pressure()]);
  });
  return {
    stop() {
      stop();
      broker.publish(place('NDEATH'), payloadOf([{ name: 'bdSeq', type: types.int64, value: { uint: 0 } }], nowMs()));
    },
  };
}
