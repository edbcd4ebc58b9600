/** NMEA 0183 v4.11 sentences: which field of which is what, and how it is written there. */

/** By sentence without its talker, fields counted from 1 behind the sentence's name. */
const fields: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  GGA: { time: 1, latitude: 2, longitude: 4, quality: 6, satellites: 7, hdop: 8, altitude: 9, geoid: 11 },
  RMC: { time: 1, status: 2, latitude: 3, longitude: 5, speed: 7, course: 8, date: 9 },
  GLL: { latitude: 1, longitude: 3, time: 5, status: 6 },
  VTG: { course: 1, speed: 5, speed_kmh: 7 },
  GSA: { mode: 2, pdop: 15, hdop: 16, vdop: 17 },
  GSV: { satellites: 3 },
  ZDA: { time: 1, day: 2, month: 3, year: 4 },
  HDT: { heading: 1 },
  DBT: { depth: 3 },
  MWV: { angle: 1, speed: 3 },
  MTW: { temperature: 1 },
};

/** Names of the fields of a sentence; undefined if it is not one of those that are known by name. */
export function fieldsOf(sentence: string): readonly string[] | undefined {
  const known = fields[formatterOf(sentence)];
  return known && Object.keys(known);
}

/** `GPGGA` and `GGA` are both the fix; proprietary sentences have no talker. */
function formatterOf(sentence: string): string {
  return sentence.startsWith('P') ? sentence : sentence.slice(-3);
}

/**
 * The text or number of one field; undefined if this is another sentence. Latitude and longitude are degrees, negative in the south and the west;
 * an empty field is the empty text.
 */
export function nmeaField(line: string, sentence: string, field: string | number): string | number | undefined {
  const star = line.lastIndexOf('*');
  const parts = (star < 0 ? line : line.slice(0, star)).split(',');
  const name = parts[0]?.replace(/^[$!]/, '') ?? '';
  if (name !== sentence && (sentence.length > 3 || formatterOf(name) !== sentence)) return undefined;
  const index = typeof field === 'number' ? field : fields[formatterOf(sentence)]?.[field];
  const text = index === undefined ? undefined : parts[index];
  if (text === undefined) return undefined;
  if (field === 'latitude' || field === 'longitude') return degrees(text, parts[(index ?? 0) + 1] ?? '', field);
  return text;
}

/** `4807.038,N` is 48° 7.038′ north. */
function degrees(text: string, side: string, field: 'latitude' | 'longitude'): string | number {
  const match = /^(\d{1,3})(\d{2}(?:\.\d+)?)$/.exec(text);
  const sign = side === 'N' || side === 'E' ? 1 : side === 'S' || side === 'W' ? -1 : undefined;
  if (!match || sign === undefined) return text === '' ? '' : `${text}${side}`;
  const value = Number(match[1]) + Number(match[2]) / 60;
  if (value > (field === 'latitude' ? 90 : 180)) return `${text}${side}`;
  // Seven decimals are a centimetre.
  return sign * Number(value.toFixed(7));
}
