/** Samples of one point, one a millisecond, as a CSV file; the value is the place. */
export function importLines(startMs: number, count: number): string {
  const rows = Array.from({ length: count }, (_, index) => `${new Date(startMs + index).toISOString()},meter,count,${index}`);
  return `time,device,point,value\r\n${rows.join('\r\n')}\r\n`;
}
