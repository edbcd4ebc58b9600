/** The data source's settings page: the config editor, and "Save & test". */
import type { DataSourcePlugin } from '@grafana/data';
import { Alert, Button } from '@grafana/ui';
import { useEffect, useState } from 'react';

interface Props {
  // biome-ignore lint/suspicious/noExplicitAny: a host knows plugins only by their outline.
  plugin: DataSourcePlugin<any>;
  stored: { jsonData: Record<string, unknown>; secureJsonFields: Record<string, boolean> };
  meta: { id: string };
}

export function ConfigHost({ plugin, stored, meta }: Props) {
  const readOnly = new URLSearchParams(location.search).has('readOnly');
  const [options, setOptions] = useState<Record<string, unknown>>({
    id: 1,
    uid: 'stand',
    orgId: 1,
    name: 'Fieldgate IoT',
    type: meta.id,
    access: 'proxy',
    url: '',
    jsonData: stored.jsonData,
    secureJsonFields: stored.secureJsonFields,
    secureJsonData: {},
    readOnly,
    version: 1,
  });
  const [health, setHealth] = useState<{ status: string; message: string }>();
  useEffect(() => {
    Object.assign(window, { stand: { options } });
  }, [options]);

  async function saveAndTest(): Promise<void> {
    const kept = await (await fetch('/api/stand', { method: 'PUT', body: JSON.stringify(options) })).json();
    setOptions({ ...options, secureJsonFields: kept.secureJsonFields, secureJsonData: {} });
    setHealth(await (await fetch('/api/datasources/uid/stand/health')).json());
  }

  const Editor = plugin.components.ConfigEditor;
  if (!Editor) return <p>the plugin has no config editor</p>;
  return (
    <>
      {/* biome-ignore lint/suspicious/noExplicitAny: see above. */}
      <Editor options={options as any} onOptionsChange={(next: any) => setOptions(next)} />
      {health && <Alert severity={health.status === 'OK' ? 'success' : 'error'} title={health.message} data-testid="health" />}
      <Button onClick={() => void saveAndTest()} disabled={readOnly}>
        Save &amp; test
      </Button>
    </>
  );
}
