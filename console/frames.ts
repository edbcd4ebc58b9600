/** Arrow frames as rows a terminal can show. */
import { tableFromIPC } from 'apache-arrow';

export interface Field {
  name: string;
  labels: Record<string, string>;
  /** Grafana field config: unit, decimals, mappings … */
  config: FieldConfig;
  /** Times in milliseconds; 64-bit integers as bigint; null where there is no value. */
  values: unknown[];
}

export interface FieldConfig {
  unit?: string;
  decimals?: number;
  displayNameFromDS?: string;
  mappings?: { type: string; options: Record<string, { text?: string }> }[];
  type?: { enum?: { text?: string[] } };
}

export interface Frame {
  name: string;
  fields: Field[];
  notices: string[];
}

/** Decodes one Arrow IPC file. Throws if it is none. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const table = tableFromIPC(bytes);
  const meta = parse<{ notices?: { text: string }[] }>(table.schema.metadata.get('meta'));
  return {
    name: table.schema.metadata.get('name') ?? '',
    notices: (meta.notices ?? []).map((notice) => notice.text),
    fields: table.schema.fields.map((field, index) => {
      const config = parse<FieldConfig>(field.metadata.get('config'));
      const names = field.metadata.get('tstype') === 'enum' ? config.type?.enum?.text : undefined;
      const values: unknown[] = Array.from(table.getChildAt(index) ?? []);
      return {
        name: field.name,
        labels: parse(field.metadata.get('labels')),
        config,
        values: names ? values.map((value) => (value === null ? null : (names[Number(value)] ?? String(value)))) : values,
      };
    }),
  };
}

function parse<T extends object>(text: string | undefined): T {
  return (text ? JSON.parse(text) : {}) as T;
}

/** The first field of that name, or undefined. */
export function field(frame: Frame, name: string): Field | undefined {
  return frame.fields.find((each) => each.name === name);
}
