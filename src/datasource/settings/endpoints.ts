import type { ReadConnection } from './connections.ts';
import type { Faults } from './faults.ts';
import { show } from './phrases.ts';

/** A serial port is opened once: connections that name the same one must want it alike. The first keeps it, a later one is at fault. */
export function checkEndpoints(connections: ReadonlyMap<string, ReadConnection>, faults: Faults): void {
  const holders = new Map<string, { id: string; use: string }>();
  for (const [id, { element, driver, connection }] of connections) {
    const terms = connection && driver?.terms?.(connection.options);
    if (!connection || !driver || terms === undefined) continue;
    const endpoint = driver.endpoint(connection.options);
    const use = `${connection.kind}, ${terms}`;
    const holder = holders.get(endpoint);
    if (!holder) holders.set(endpoint, { id, use });
    else if (holder.use !== use) {
      faults.add(
        element,
        '',
        `asks for ${show(endpoint)} as ${use}, but connection ${show(holder.id)} uses it as ${holder.use}; allowed is the same kind with the same settings, or another port`,
      );
    }
  }
}
