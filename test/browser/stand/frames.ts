/** Arrow files as the JSON that Grafana's `/api/ds/query` makes of them. 64-bit integers become JSON numbers there, and so here. */
import { Type, tableFromIPC } from 'apache-arrow';

export interface JsonFrame {
  schema: { name?: string; refId?: string; meta?: object; fields: object[] };
  data: { values: unknown[][]; nanos?: (number[] | null)[] };
}

export function jsonFrame(bytes: Uint8Array): JsonFrame {
  const table = tableFromIPC(bytes);
  const { metadata } = table.schema;
  const fields: object[] = [];
  const values: unknown[][] = [];
  const nanos: (number[] | null)[] = [];
  for (const [index, field] of table.schema.fields.entries()) {
    const column = table.getChildAt(index);
    const isTime = field.typeId === Type.Timestamp;
    const raw: unknown[] = Array.from({ length: table.numRows }, (_, row) => column?.get(row) ?? null);
    const name = field.metadata.get('tstype') ?? '';
    fields.push({
      name: field.name,
      type: isTime
        ? 'time'
        : name === 'enum'
          ? 'enum'
          : name.includes('int') || name.startsWith('float')
            ? 'number'
            : name === 'bool'
              ? 'boolean'
              : name === 'json'
                ? 'other'
                : 'string',
      typeInfo: { frame: name, nullable: field.nullable },
      ...parsed('labels', field.metadata.get('labels')),
      ...parsed('config', field.metadata.get('config')),
    });
    values.push(raw.map(plain));
    nanos.push(null);
  }
  const name = metadata.get('name');
  const refId = metadata.get('refId');
  return {
    schema: { ...(name ? { name } : {}), ...(refId ? { refId } : {}), ...parsed('meta', metadata.get('meta')), fields },
    data: { values, nanos },
  };
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Date ? value.getTime() : value;
}

function parsed(name: string, text: string | undefined): object {
  return text ? { [name]: JSON.parse(text) } : {};
}
