/** What the parts of the config editor share beside the form itself. */
import { createContext, useContext } from 'react';
import type { Item, Path } from './document.ts';
import type { ConnectionState, DeviceState, Profile, Resources } from './resources.ts';
import type { DriverSchemas, Schema } from './schema.ts';

export interface SecretKeeper {
  /** Names Grafana has a value for. */
  configured: Readonly<Record<string, boolean>>;
  /** What was typed since. */
  typed: Readonly<Record<string, string>>;
  set(name: string, value: string): void;
  reset(name: string): void;
}

export interface Editor {
  document: Item;
  drivers: readonly DriverSchemas[];
  schema: Schema;
  profiles: readonly Profile[];
  resources: Resources;
  readOnly: boolean;
  /** What runs: of the settings that are saved. */
  connections: ReadonlyMap<string, ConnectionState>;
  devices: ReadonlyMap<string, DeviceState>;
  secrets: SecretKeeper;
  change(document: Item): void;
  set(path: Path, value: unknown): void;
  jump(place: string): void;
}

export const EditorContext = createContext<Editor | undefined>(undefined);

export function useEditor(): Editor {
  const editor = useContext(EditorContext);
  if (!editor) throw new Error('a part of the config editor is used outside of it');
  return editor;
}

export const driverOf = (drivers: readonly DriverSchemas[], kind: unknown): DriverSchemas | undefined =>
  drivers.find((one) => one.kind === kind);
