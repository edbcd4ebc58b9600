/** A browser's side of a live panel: the history frame, then packets, joined by Grafana's own StreamingDataFrame. */
import { createRequire } from 'node:module';
import type { DataFrameJSON, FieldType, StreamingDataFrame } from '@grafana/data';
import type { ReadFrame } from '../frame/read.ts';

// Its CommonJS build: the other one expects a bundler.
const { StreamingDataFrame: Streaming } = createRequire(import.meta.url)('@grafana/data') as {
  StreamingDataFrame: typeof StreamingDataFrame;
};

export class Viewer {
  readonly frame = Streaming.empty({ maxLength: 1_000_000 });
  /** What came, parsed. */
  readonly packets: DataFrameJSON[] = [];

  constructor(history?: ReadFrame) {
    if (history) this.frame.push(asJson(history));
  }

  take(packet: Uint8Array | undefined): void {
    const json = JSON.parse(new TextDecoder().decode(packet)) as DataFrameJSON;
    this.packets.push(json);
    // It appends to the arrays it is given.
    this.frame.push(structuredClone(json));
  }

  /** `[time in ms, value]` of a column, without holes. */
  rows(name: string): [number, unknown][] {
    const times = this.frame.fields[0]?.values ?? [];
    const values = this.frame.fields.find((field) => field.name === name)?.values ?? [];
    return Array.from(values, (value, i): [number, unknown] => [times[i], value]).filter(
      ([, value]) => value !== undefined && value !== null,
    );
  }

  values(name: string): unknown[] {
    return this.rows(name).map(([, value]) => value);
  }
}

/** What the server makes of our Arrow file for the browser. */
function asJson(frame: ReadFrame): DataFrameJSON {
  const type = (field: ReadFrame['fields'][number]) => field.tstype as FieldType;
  return {
    schema: {
      refId: frame.refId ?? '',
      meta: frame.meta as object,
      fields: frame.fields.map((field) => ({
        name: field.name,
        type: type(field),
        labels: field.labels as Record<string, string>,
        config: field.config as object,
      })),
    },
    data: {
      values: frame.fields.map((field) =>
        field.values.map((value) => (type(field) === 'time' ? Number(BigInt(String(value)) / 1_000_000n) : value)),
      ),
    },
  };
}
