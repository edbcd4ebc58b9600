/**
 * A microcontroller in a greenhouse: says its climate every second, and obeys lines. `VALVE?` and `VALVE=0|1`, `FAN?` and `FAN=0..100`,
 * `RESET` starts it anew. It misbehaves when asked to: `SILENT?` says nothing, `SLOW?` answers after 800 ms, `HALF?` with half a line,
 * `NOISE?` with bytes, `LONG?` with a line of 10,000 characters, `FLOOD?` with 1,000 lines, and `UNPLUG!` takes it from the port for 2 s.
 */
import type { SerialPort } from './serial-port.ts';

export interface UnoOptions {
  port: Pick<SerialPort, 'hear' | 'say' | 'unplug'>;
  nowMs?: () => number;
  /** A number in [0, 1). */
  random?: () => number;
}

const sayEveryMs = 1_000;
const bootMs = 300;
const slowMs = 800;
const unplugMs = 2_000;
/** A line longer than this is no command. */
const commandLengthMax = 100;

/** Returns what ends it. */
export function startUno({ port, nowMs = Date.now, random = Math.random }: UnoOptions): () => void {
  const timers = new Set<NodeJS.Timeout>();
  let valve = 0;
  let fan = 30;
  let soil = 43;
  let heard = '';

  const later = (ms: number, run: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
  };
  // Sketches say println(), which ends a line with both.
  const tell = (line: string) => port.say(`${line}\r\n`);

  const climate = setInterval(() => {
    soil = Math.min(95, Math.max(5, soil + (valve ? 0.8 : -0.15) + (random() - 0.5) / 2));
    const air = 22 + 4 * Math.sin(nowMs() / 40_000) - fan / 50 + (random() - 0.5) / 5;
    tell(`T=${air.toFixed(1)};S=${Math.round(soil)}`);
  }, sayEveryMs);

  const boot = () => {
    valve = 0;
    fan = 30;
    later(bootMs, () => tell('BOOT greenhouse 1.2'));
  };

  const misbehaviour: Record<string, () => void> = {
    'SILENT?': () => {},
    'SLOW?': () => later(slowMs, () => tell('SLOW=1')),
    'HALF?': () => port.say('HALF='),
    'NOISE?': () => port.say(Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)))),
    'LONG?': () => tell(`LONG=${'9'.repeat(10_000)}`),
    'FLOOD?': () => port.say('T=99.9;S=99\r\n'.repeat(1_000)),
    'UNPLUG!': () => port.unplug(unplugMs),
  };

  const obey = (line: string) => {
    const [name = '', value] = line.split('=');
    const odd = misbehaviour[line];
    if (odd) odd();
    else if (line === 'VALVE?') tell(`VALVE=${valve}`);
    else if (line === 'FAN?') tell(`FAN=${fan}`);
    else if (line === 'RESET') boot();
    else if (name === 'VALVE' && (value === '0' || value === '1')) {
      valve = Number(value);
      tell('OK');
    } else if (name === 'FAN' && /^\d{1,3}$/.test(value ?? '') && Number(value) <= 100) {
      fan = Number(value);
      tell('OK');
    } else tell(`ERR ${line.slice(0, 20)}`);
  };

  port.hear((bytes) => {
    const lines = (heard + bytes.toString('latin1')).split('\n');
    heard = (lines.pop() ?? '').slice(-commandLengthMax);
    for (const line of lines) obey(line.trim());
  });

  return () => {
    clearInterval(climate);
    for (const timer of timers) clearTimeout(timer);
  };
}
