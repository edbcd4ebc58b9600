import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { InlineField, SecretInput } from '@grafana/ui';
import { JsonText } from './JsonText.tsx';
import type { FieldgateSettings } from './types.ts';

type Props = DataSourcePluginOptionsEditorProps<FieldgateSettings, Record<string, string>>;

/** The settings as JSON, and one field for each secret that a connection may need. "Save & test" says what is wrong and where. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const setSecret = (name: string, value: string) =>
    onOptionsChange({ ...options, secureJsonData: { ...options.secureJsonData, [name]: value } });
  const resetSecret = (name: string) =>
    onOptionsChange({
      ...options,
      secureJsonFields: { ...options.secureJsonFields, [name]: false },
      secureJsonData: { ...options.secureJsonData, [name]: '' },
    });

  return (
    <>
      <h3>Settings</h3>
      <p>Connections, devices and points as JSON. Every browser that uses this data source can read them: passwords belong below.</p>
      <JsonText
        label="Settings as JSON"
        rows={24}
        value={options.jsonData}
        onChange={(jsonData) => onOptionsChange({ ...options, jsonData })}
      />
      <h3>Secrets</h3>
      {connectionIds(options.jsonData).map((id) => {
        const name = `${id}.password`;
        return (
          <InlineField key={name} label={name} labelWidth={30}>
            <SecretInput
              aria-label={name}
              width={40}
              isConfigured={options.secureJsonFields[name] ?? false}
              value={options.secureJsonData?.[name] ?? ''}
              onChange={(event) => setSecret(name, event.currentTarget.value)}
              onReset={() => resetSecret(name)}
            />
          </InlineField>
        );
      })}
    </>
  );
}

function connectionIds(settings: FieldgateSettings): string[] {
  const { connections } = settings;
  if (!Array.isArray(connections)) return [];
  return connections.flatMap((connection: { id?: unknown } | null) => (typeof connection?.id === 'string' ? [connection.id] : []));
}
