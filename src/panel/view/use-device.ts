/** The watches of one panel: one a device, shared by its controls. */
import type { DataFrame } from '@grafana/data';
import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { type DeviceView, DeviceWatch } from '../source/watch.ts';

export class Watches {
  readonly #byKey = new Map<string, DeviceWatch>();

  of(source: string, device: string): DeviceWatch {
    const key = JSON.stringify([source, device]);
    const found = this.#byKey.get(key) ?? new DeviceWatch(source, device);
    this.#byKey.set(key, found);
    return found;
  }

  offer(frames: readonly DataFrame[]): void {
    for (const watch of this.#byKey.values()) watch.offer(frames);
  }
}

export const WatchesContext = createContext<Watches>(new Watches());

export function usePanelWatches(frames: readonly DataFrame[]): Watches {
  const [watches] = useState(() => new Watches());
  useEffect(() => watches.offer(frames), [watches, frames]);
  return watches;
}

export function useDevice(source: string, device: string): { view: DeviceView; watch: DeviceWatch } {
  const watches = useContext(WatchesContext);
  const watch = useMemo(() => watches.of(source, device), [watches, source, device]);
  const view = useSyncExternalStore(watch.subscribe, watch.snapshot);
  return { view, watch };
}
