/**
 * A dashboard with one panel of a panel plugin: `options`, `fieldConfig` and `width`, `height` come from the address. With `edit` the editors of its
 * options stand beside it.
 */
import {
  type DataFrame,
  EventBusSrv,
  FieldColorModeId,
  type FieldConfigSource,
  LoadingState,
  PanelOptionsEditorBuilder,
  type PanelPlugin,
} from '@grafana/data';
import { type ComponentType, useEffect, useState } from 'react';
import { installOptionEditors } from './option-editors.ts';
import { timeRange } from './services.ts';

interface Props {
  plugin: PanelPlugin;
  address: URLSearchParams;
}

installOptionEditors();
const eventBus = new EventBusSrv();

export function PanelHost({ plugin, address }: Props) {
  const [options, setOptions] = useState<Record<string, unknown>>(() => {
    const stored = JSON.parse(address.get('options') ?? '{}');
    // A dashboard's JSON that no version of the plugin has written bears no version of it.
    const model = { type: 'panel', id: 1, options: stored, fieldConfig: { defaults: {}, overrides: [] }, pluginVersion: '' };
    return { ...(plugin.defaults as object | undefined), ...stored, ...(plugin.onPanelMigration?.(model as never) as object | undefined) };
  });
  const [fieldConfig, setFieldConfig] = useState<FieldConfigSource>(() => ({
    defaults: { color: { mode: FieldColorModeId.Thresholds }, ...JSON.parse(address.get('fieldConfig') ?? '{}') },
    overrides: [],
  }));
  const width = Number(address.get('width') ?? 600);
  const height = Number(address.get('height') ?? 400);
  useEffect(() => {
    Object.assign(window, { stand: { options, setOptions } });
  }, [options]);
  const Panel = plugin.panel;
  if (!Panel) return <p>the plugin has no panel</p>;
  const range = timeRange();
  const series: DataFrame[] = [];
  return (
    <>
      {address.has('edit') && <OptionEditors plugin={plugin} options={options} onChange={setOptions} />}
      <section aria-label="panel" style={{ width, height, position: 'relative' }}>
        <Panel
          id={1}
          title="Panel"
          data={{ series, state: LoadingState.Done, timeRange: range }}
          timeRange={range}
          timeZone="utc"
          options={options}
          onOptionsChange={setOptions}
          fieldConfig={fieldConfig}
          onFieldConfigChange={setFieldConfig}
          width={width}
          height={height}
          transparent={false}
          renderCounter={0}
          eventBus={eventBus}
          replaceVariables={(text: string) =>
            text.replace(/\$(\w+)|\$\{(\w+)\}/g, (whole, a, b) =>
              String((window as { standVariables?: Record<string, string> }).standVariables?.[a ?? b] ?? whole),
            )
          }
          onChangeTimeRange={() => {}}
        />
      </section>
    </>
  );
}

interface Editors {
  plugin: PanelPlugin;
  options: Record<string, unknown>;
  onChange(options: Record<string, unknown>): void;
}

/** What stands in the options pane: of each option its editor, if it brings its own. */
function OptionEditors({ plugin, options, onChange }: Editors) {
  const builder = new PanelOptionsEditorBuilder<Record<string, unknown>>();
  plugin.getPanelOptionsSupplier()(builder, { data: [] });
  return builder.getItems().map((item) => {
    const { id, name, path } = item;
    const Own = item.editor as unknown as ComponentType<Record<string, unknown>> | undefined;
    if (!Own) return null;
    return (
      <section key={id} aria-label={`option ${name}`} style={{ width: 400 }}>
        <Own
          value={options[path]}
          onChange={(value: unknown) => onChange({ ...options, [path]: value })}
          item={item}
          context={{ data: [] }}
        />
      </section>
    );
  });
}
