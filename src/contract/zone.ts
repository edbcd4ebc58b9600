/** Local time less UTC in milliseconds, at a moment in milliseconds since 1970. A formatter takes a millisecond to make: to be kept. */
export function createOffset(timeZone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (timeMs) => {
    const parts = new Map(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const year = parts.get('era')?.startsWith('B') ? 1 - part('year') : part('year');
    const local = new Date(0).setUTCFullYear(year, part('month') - 1, part('day')) + part('hour') * 3_600_000 + part('minute') * 60_000;
    return local + part('second') * 1_000 - Math.floor(timeMs / 1_000) * 1_000;
  };
}

/** Whether it is the name of a time zone that this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
