/**
 * A GPS receiver on a boat that sails in a circle: every second a sentence GGA and a sentence RMC (NMEA 0183), each with its checksum. It hears
 * nothing. Every tenth GGA is damaged on the wire: its checksum does not fit.
 */
import type { SerialPort } from './serial-port.ts';

export interface GpsOptions {
  port: Pick<SerialPort, 'say'>;
  nowMs?: () => number;
}

const sayEveryMs = 1_000;
const damagedEvery = 10;
/** Around 47° 17.11' N, 8° 33.9' E: a lake. */
const [northDegrees, eastDegrees, radiusDegrees] = [47.2852, 8.5653, 0.002];
const turnMs = 120_000;

/** Returns what ends it. */
export function startGps({ port, nowMs = Date.now }: GpsOptions): () => void {
  let said = 0;
  const timer = setInterval(() => {
    const ms = nowMs();
    const [date, time] = new Date(ms).toISOString().slice(2, 22).split('T') as [string, string];
    const angle = ((ms % turnMs) / turnMs) * 2 * Math.PI;
    const place = `${minutes(northDegrees + radiusDegrees * Math.cos(angle), 2)},N,${minutes(eastDegrees + radiusDegrees * Math.sin(angle), 3)},E`;
    const clock = time.replaceAll(':', '').padEnd(9, '0');
    const course = ((angle * 180) / Math.PI + 90) % 360;
    const fix = sentence(`GPGGA,${clock},${place},1,08,1.01,${(406 + Math.sin(angle)).toFixed(1)},M,48.0,M,,`);
    said += 1;
    port.say(said % damagedEvery === 0 ? fix.replace(',N,', ',S,') : fix);
    port.say(sentence(`GPRMC,${clock},A,${place},7.200,${course.toFixed(2)},${date.split('-').reverse().join('')},,,A`));
  }, sayEveryMs);
  return () => clearInterval(timer);
}

/** Degrees as NMEA has them: whole degrees and minutes in one number. */
function minutes(degrees: number, digits: number): string {
  const whole = Math.floor(degrees);
  return `${String(whole).padStart(digits, '0')}${((degrees - whole) * 60).toFixed(5).padStart(8, '0')}`;
}

function sentence(body: string): string {
  let sum = 0;
  for (const byte of Buffer.from(body)) sum ^= byte;
  return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}\r\n`;
}
