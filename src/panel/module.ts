import { FieldConfigProperty, PanelPlugin, ThresholdsMode } from '@grafana/data';
import { ControlPanel } from './ControlPanel.tsx';
import { ControlsEditor } from './options/ControlsEditor.tsx';
import { migrateOptions, needsMigration } from './options/migration.ts';
import { type PanelOptions, panelDefaults } from './options/options.ts';
import { options } from './options/texts.ts';

export const plugin = new PanelPlugin<PanelOptions>(ControlPanel)
  .setMigrationHandler(migrateOptions, needsMigration)
  .useFieldConfig({
    // What a control shows is one value of one point; nothing of it is linked to or computed from.
    // Grafana's own default is red from 80 on, which means nothing for a device.
    standardOptions: {
      [FieldConfigProperty.Thresholds]: {
        defaultValue: { mode: ThresholdsMode.Absolute, steps: [{ value: Number.NEGATIVE_INFINITY, color: 'text' }] },
      },
    },
    disableStandardOptions: [
      FieldConfigProperty.Links,
      FieldConfigProperty.Actions,
      FieldConfigProperty.NoValue,
      FieldConfigProperty.Filterable,
    ],
  })
  .setPanelOptions((builder) =>
    builder
      .addCustomEditor({
        id: 'controls',
        path: 'controls',
        ...options.controls,
        editor: ControlsEditor,
        defaultValue: [],
      })
      .addSliderInput({
        path: 'columns',
        ...options.columns,
        defaultValue: panelDefaults.columns,
        settings: { min: 0, max: 6, step: 1 },
      })
      .addBooleanSwitch({
        path: 'showAge',
        ...options.showAge,
        defaultValue: panelDefaults.showAge,
      })
      .addBooleanSwitch({
        path: 'showPerson',
        ...options.showPerson,
        defaultValue: panelDefaults.showPerson,
      }),
  );
