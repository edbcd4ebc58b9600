/**
 * A house on your desk: rooms with a climate sensor and a light, a power meter and a plug, as MQTT devices speak. They live by the clock
 * and the chance they are given, so that the same both make the same day.
 */
import { type Every, everyByTimer } from './every.ts';
import type { MqttBroker } from './mqtt-broker.ts';

export interface HouseOptions {
  broker: Pick<MqttBroker, 'publish' | 'obey'>;
  /** Milliseconds since 1970. */
  nowMs?: () => number;
  /** A number in [0, 1). */
  random?: () => number;
  every?: Every;
}

export interface House {
  /** Ends all devices; each leaves its status as its last will would. */
  stop(): void;
}

const rooms = [
  { building: 'north', room: 'kitchen', warmC: 21.5, humid: 45 },
  { building: 'north', room: 'office', warmC: 22.2, humid: 38 },
  { building: 'south', room: 'lab', warmC: 19.4, humid: 52 },
] as const;

const climateEveryMs = 1_000;
const meterEveryMs = 500;
const plugEveryMs = 2_000;
/** A day in which one can watch the sun: temperatures swing once in this. */
const swingMs = 120_000;
const baseW = 240;
const lampW = 35;
const plugW = 60;

export function startHouse(options: HouseOptions): House {
  const { broker, nowMs = Date.now, random = Math.random, every = everyByTimer } = options;
  const startMs = nowMs();
  const stops: (() => void)[] = [];
  const lights = new Map<string, boolean>();
  let plugOn = true;
  let energyWh = 4_211_874_000;

  for (const [index, { building, room, warmC, humid }] of rooms.entries()) {
    const place = `home/${building}/${room}`;
    let noise = 0;
    const sayLight = () => broker.publish(`${place}/light/state`, lights.get(place) ? 'ON' : 'OFF', { retain: true });
    lights.set(place, index === 0);
    broker.publish(`${place}/status`, 'online', { retain: true });
    sayLight();
    broker.obey(`${place}/light/set`, (payload) => {
      if (payload !== 'ON' && payload !== 'OFF') return;
      lights.set(place, payload === 'ON');
      sayLight();
    });
    const sayClimate = () => {
      const swing = Math.sin(((nowMs() - startMs) / swingMs + index / rooms.length) * 2 * Math.PI);
      noise = 0.9 * noise + 0.1 * (random() - 0.5);
      const climate = {
        temperature: rounded(warmC + 1.5 * swing + noise, 2),
        humidity: rounded(humid - 4 * swing + 3 * noise, 1),
        ts: nowMs(),
      };
      broker.publish(`${place}/climate`, JSON.stringify(climate));
    };
    sayClimate();
    stops.push(every(climateEveryMs, sayClimate));
    // A device that loses its link is announced by its last will; these live inside the broker and say it themselves.
    stops.push(() => broker.publish(`${place}/status`, 'offline', { retain: true }));
  }

  const power = () => baseW + [...lights.values()].filter(Boolean).length * lampW + (plugOn ? plugW : 0) + 12 * random();
  stops.push(
    every(meterEveryMs, () => {
      const watts = power();
      energyWh += (watts * meterEveryMs) / 3_600_000;
      broker.publish('meter/power', watts.toFixed(1));
      broker.publish('meter/energy', String(Math.floor(energyWh)));
    }),
  );

  const sayPlug = () =>
    broker.publish(
      'zigbee2mqtt/plug',
      JSON.stringify({ state: plugOn ? 'ON' : 'OFF', power: plugOn ? rounded(plugW + 2 * random(), 1) : 0, linkquality: 120 }),
    );
  broker.obey('zigbee2mqtt/plug/set', (payload) => {
    const state = stateOf(payload);
    if (state === undefined) return;
    plugOn = state === 'ON';
    sayPlug();
  });
  stops.push(every(plugEveryMs, sayPlug));

  return {
    stop() {
      for (const stop of stops.splice(0)) stop();
    },
  };
}

/** `{"state": "ON"}`; anything else is not for this device. */
function stateOf(payload: string): 'ON' | 'OFF' | undefined {
  try {
    const document: unknown = JSON.parse(payload);
    const state = typeof document === 'object' && document !== null && 'state' in document ? document.state : undefined;
    return state === 'ON' || state === 'OFF' ? state : undefined;
  } catch {
    return undefined;
  }
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
