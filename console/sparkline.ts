const levels = '▁▂▃▄▅▆▇█';

/** One character a value, lowest to highest; a gap where there is none. A constant is drawn at half height. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width);
  const known = shown.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length === 0) return '';
  const low = Math.min(...known);
  const high = Math.max(...known);
  return shown
    .map((value) => {
      if (value === null || !Number.isFinite(value)) return ' ';
      const share = high === low ? 0.5 : (value - low) / (high - low);
      return levels[Math.min(levels.length - 1, Math.floor(share * levels.length))];
    })
    .join('');
}
