/**
 * Milliseconds since 1970 of a time as ISO 8601 writes it, day first; undefined if it is none. `Date.parse` alone takes 30 February for 2 March.
 */
export function parseIsoMs(text: string): number | undefined {
  const day = text.slice(0, 10);
  const ms = Date.parse(text);
  return Number.isNaN(ms) || !new Date(Date.parse(day)).toISOString().startsWith(day) ? undefined : ms;
}
