/** Ids of the points of one device. */

/** Ids that are not taken: as wanted, with what it is behind it, or numbered. A number is tried once, so that thousands of one name cost no more each. */
export function uniqueIds(count: number): (wanted: string, what: string) => string {
  const taken = new Set<string>();
  const tried = new Map<string, number>();
  const free = (id: string) => id.length <= 64 && !taken.has(id);
  const numbered = (start: string) => {
    for (let n = (tried.get(start) ?? 1) + 1; n < count + 2; n++) {
      tried.set(start, n);
      if (free(`${start}_${n}`)) return `${start}_${n}`;
    }
    return undefined;
  };
  return (wanted, what) => {
    const id = [wanted, `${wanted}_${what}`].find(free) ?? numbered(wanted.slice(0, 58)) ?? wanted;
    taken.add(id);
    return id;
  };
}
