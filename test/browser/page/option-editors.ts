/** Grafana's own option editors and standard options, of which a panel plugin needs to find the names; what they look like is Grafana's affair. */
import {
  FieldConfigProperty,
  type FieldConfigPropertyItem,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
} from '@grafana/data';

const editors = [
  'number',
  'slider',
  'text',
  'strings',
  'select',
  'multi-select',
  'radio',
  'boolean',
  'color',
  'fieldColor',
  'unit',
  'field-name',
];

export function installOptionEditors(): void {
  standardEditorsRegistry.setInit(() => editors.map((id) => ({ id, name: id, editor: () => null })));
  standardFieldConfigEditorRegistry.setInit(() =>
    Object.values(FieldConfigProperty).map(
      (id): FieldConfigPropertyItem => ({
        id,
        path: id,
        name: id,
        editor: () => null,
        override: () => null,
        process: (value: unknown) => value,
        shouldApply: () => true,
        settings: {},
      }),
    ),
  );
}
