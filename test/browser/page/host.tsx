/**
 * Plays the parts of Grafana's front end around a plugin's components: `/?show=config|query|variable|annotation|panel&theme=dark`. What a test has to
 * see of the state (options, query) is on `window.stand`.
 */
import { createTheme, type DataSourceApi, type DataSourcePlugin, type PanelPlugin, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadModule } from './amd.ts';
import { ConfigHost } from './ConfigHost.tsx';
import { PanelHost } from './PanelHost.tsx';
import { QueryHost } from './QueryHost.tsx';
import { installServices } from './services.ts';

const address = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: address.get('theme') === 'light' ? 'light' : 'dark' } });

function Page({ children }: { children: ReactNode }) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ padding: 16, background: theme.colors.background?.primary, minHeight: '100vh' }}>{children}</div>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

// As Grafana's own page says where the code editor's workers are.
Object.assign(window, { MonacoEnvironment: { getWorker: (_id: string, label: string) => new Worker(`/workers/${label}`) } });

async function main(): Promise<void> {
  const stored = await (await fetch('/api/stand')).json();
  const meta = await (await fetch('/public/plugins/fieldgate-iot-datasource/plugin.json')).json();
  const settings = {
    id: 1,
    uid: 'stand',
    name: 'Fieldgate IoT',
    type: meta.id,
    url: '/api/datasources/proxy/uid/stand',
    jsonData: stored.jsonData,
    access: 'proxy',
    readOnly: false,
    meta,
  };
  let source: DataSourceApi | undefined;
  installServices(settings as never, () => source as DataSourceApi, stored.person);
  const { plugin } = (await loadModule('fieldgate-iot-datasource/module.js')) as { plugin: DataSourcePlugin<DataSourceApi> };
  source = new plugin.DataSourceClass(settings as never);
  (source as { meta: unknown }).meta = meta;
  // What Grafana asks of a data source without an editor: variables, ad hoc filters.
  Object.assign(window, { standSource: source });
  const show = address.get('show') ?? 'config';
  const part =
    show === 'config' ? (
      <ConfigHost plugin={plugin} stored={stored} meta={meta} />
    ) : show === 'panel' ? (
      <PanelHost plugin={(await loadModule('fieldgate-control-panel/module.js')).plugin as PanelPlugin} address={address} />
    ) : (
      <QueryHost plugin={plugin} source={source} show={show} address={address} />
    );
  const root = document.getElementById('root') as HTMLElement;
  createRoot(root).render(<Page>{part}</Page>);
}

main().catch((error: Error) => {
  document.body.append(textElement(`the page did not come up: ${error.stack ?? error.message}`));
});

function textElement(text: string): HTMLElement {
  const element = document.createElement('pre');
  element.textContent = text;
  return element;
}
