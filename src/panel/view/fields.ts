/** How values look: the standard options of the panel, those of the point where the panel says nothing. */
import {
  applyFieldOverrides,
  createDataFrame,
  type DisplayValue,
  type Field,
  type FieldConfigSource,
  FieldType,
  formattedValueToString,
  type GrafanaTheme2,
  getDisplayProcessor,
  type InterpolateFunction,
  type TimeZone,
} from '@grafana/data';
import type { PointAnswer, Scalar } from '../source/answers.ts';

export interface Look {
  fieldConfig: FieldConfigSource;
  theme: GrafanaTheme2;
  timeZone: TimeZone;
  replaceVariables: InterpolateFunction;
}

export interface Shown {
  config: Field['config'];
  /** As a person reads it, with its unit; `name` is that of the value, where it has one. */
  show(value: Scalar, name?: string): { text: string; colour: string | undefined };
}

/** A control is a field: overrides of the panel find it by the control's title, and by the labels of its device and point. */
export function shownAs(title: string, labels: Record<string, string>, point: PointAnswer | undefined, look: Look): Shown {
  const type = typeOf(point);
  const bare = createDataFrame({ fields: [{ name: title, type, labels, config: {}, values: [] }] });
  const [frame] = applyFieldOverrides({ data: [bare], ...look });
  const field = frame?.fields[0] ?? (bare.fields[0] as Field);
  const config = { ...field.config };
  const { unit, precision: decimals, write } = point ?? {};
  const [min, max] = [write?.min ?? point?.min, write?.max ?? point?.max];
  for (const [name, own] of Object.entries({ unit, decimals, min, max })) {
    if ((config as Record<string, unknown>)[name] === undefined && own !== undefined) Object.assign(config, { [name]: own });
  }
  const mapped = (config.mappings?.length ?? 0) > 0;
  const processor = getDisplayProcessor({ field: { ...field, type, config }, theme: look.theme, timeZone: look.timeZone });
  // Colours tell states only where somebody gave them: else every value would be as green as the lowest threshold.
  const coloured = mapped || (config.thresholds?.steps.length ?? 0) > 1;
  return {
    config,
    show(value, name) {
      if (value === null) return { text: '–', colour: undefined };
      // The name of a value, before the device has said it.
      if (name === undefined && typeof value === 'string' && Number.isNaN(Number(value))) return { text: value, colour: undefined };
      const display: DisplayValue = processor(value);
      const text = name !== undefined && !mapped ? name : formattedValueToString(display);
      return { text, colour: coloured ? display.color : undefined };
    },
  };
}

function typeOf(point: PointAnswer | undefined): FieldType {
  switch (point?.type) {
    case 'boolean':
      return FieldType.boolean;
    case 'string':
      return FieldType.string;
    default:
      return FieldType.number;
  }
}
