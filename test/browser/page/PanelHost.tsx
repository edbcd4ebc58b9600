/** A dashboard with one panel of a panel plugin: `options` and `width`, `height` come from the address. */
import { type DataFrame, EventBusSrv, FieldColorModeId, type FieldConfigSource, LoadingState, type PanelPlugin } from '@grafana/data';
import { useEffect, useState } from 'react';
import { timeRange } from './services.ts';

interface Props {
  plugin: PanelPlugin;
  address: URLSearchParams;
}

const eventBus = new EventBusSrv();

export function PanelHost({ plugin, address }: Props) {
  const [options, setOptions] = useState<Record<string, unknown>>(() => ({
    ...(plugin.defaults as object | undefined),
    ...JSON.parse(address.get('options') ?? '{}'),
  }));
  const [fieldConfig, setFieldConfig] = useState<FieldConfigSource>({
    defaults: { color: { mode: FieldColorModeId.Thresholds } },
    overrides: [],
  });
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
  );
}
