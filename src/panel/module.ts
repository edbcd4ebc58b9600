import { FieldConfigProperty, PanelPlugin, ThresholdsMode } from '@grafana/data';
import { ControlPanel } from './ControlPanel.tsx';
import { ControlsEditor } from './options/ControlsEditor.tsx';
import { migrateOptions, needsMigration } from './options/migration.ts';
import { type PanelOptions, panelDefaults } from './options/options.ts';

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
        name: 'Controls',
        description: 'What can be pressed, switched or set, each bound to a point or a command of a device',
        category: ['Controls'],
        editor: ControlsEditor,
        defaultValue: [],
      })
      .addSliderInput({
        path: 'columns',
        name: 'Columns',
        description: '0: as many as there is room for. On a narrow screen there is always one',
        category: ['Layout'],
        defaultValue: panelDefaults.columns,
        settings: { min: 0, max: 6, step: 1 },
      })
      .addBooleanSwitch({
        path: 'showAge',
        name: 'Age of readings',
        category: ['Layout'],
        defaultValue: panelDefaults.showAge,
      })
      .addBooleanSwitch({
        path: 'showPerson',
        name: 'Last command',
        description: 'Who sent it and how it ended; only for those who may read the list of commands (Editors)',
        category: ['Layout'],
        defaultValue: panelDefaults.showPerson,
      }),
  );
