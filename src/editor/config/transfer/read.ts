/** Settings out of a file: JSON, YAML, or a provisioning file of Grafana with a data source of ours in it. */
import { parse } from 'yaml';
import { freshId, type Item, idOf, isItem, listOf, withTexts } from '../document.ts';
import { texts } from '../texts.ts';

export interface ReadFile {
  document: Item;
  /** What one should know of how it was read. */
  note: string;
}

/** Throws an Error with a sentence for people. */
export function readFile(text: string, type: string): ReadFile {
  if (text.trim() === '') throw new Error(texts.emptyFile);
  const value: unknown = isJson(text) ? JSON.parse(text) : parse(text);
  if (!isItem(value)) throw new Error(texts.noSettings);
  if (!('datasources' in value)) return { document: value, note: '' };
  const sources = listOf(value.datasources).filter(isItem);
  const ours = sources.filter((source) => source.type === type);
  const [source] = ours;
  if (!source) throw new Error(texts.noSourceOf(type));
  if (!isItem(source.jsonData)) throw new Error(texts.noJsonData);
  const more = ours.length > 1 ? texts.firstOf(ours.length, JSON.stringify(source.name)) : '';
  return {
    document: withTexts(source.jsonData, (text) => text.replaceAll('$$', '$')) as Item,
    note: texts.provisioned(more),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    // A JSON file with a slip in it is better explained by its own parser than by that of YAML.
    if (text.trimStart().startsWith('{')) throw new Error(texts.brokenJson((error as Error).message));
    return false;
  }
}

/** Adds connections, devices and profiles to those that are there. Ids that are taken get a number, also where devices name them. */
export function added(document: Item, more: Item): Item {
  const names = new Map<string, string>();
  const connections = [...listOf(document.connections)];
  for (const one of listOf(more.connections)) connections.push(renamed(one, connections, names));
  const devices = [...listOf(document.devices)];
  for (const one of listOf(more.devices)) {
    const device = renamed(one, devices);
    const behind = isItem(device) ? names.get(String(device.connection)) : undefined;
    devices.push(behind === undefined ? device : { ...(device as Item), connection: behind });
  }
  const known = listOf(document.profiles).map(idOf);
  const profiles = [...listOf(document.profiles), ...listOf(more.profiles).filter((one) => !known.includes(idOf(one)))];
  return { ...document, version: document.version ?? 1, connections, devices, ...(profiles.length > 0 ? { profiles } : {}) };
}

function renamed(value: unknown, list: readonly unknown[], names?: Map<string, string>): unknown {
  if (!isItem(value) || idOf(value) === '') return value;
  const id = freshId(idOf(value), list.map(idOf));
  names?.set(idOf(value), id);
  return { ...value, id };
}
