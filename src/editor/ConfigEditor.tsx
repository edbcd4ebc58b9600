import type { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Alert, Button, RadioButtonGroup, Stack } from '@grafana/ui';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Budget } from './config/Budget.tsx';
import { useKnown } from './config/backend.ts';
import { Connections } from './config/Connections.tsx';
import { useCheck } from './config/check.ts';
import { type Editor, EditorContext } from './config/context.ts';
import { Devices } from './config/Devices.tsx';
import { type Item, itemOf, valueAt, withValue } from './config/document.ts';
import { FaultList } from './config/FaultList.tsx';
import { FormContext } from './config/form/context.ts';
import { JsonSide } from './config/JsonSide.tsx';
import { showPlace } from './config/jump.ts';
import { usePolled } from './config/polling.ts';
import { Resources } from './config/resources.ts';
import { Sections } from './config/Sections.tsx';
import { texts } from './config/texts.ts';
import { later } from './later.tsx';
import { Note } from './Note.tsx';
import { texts as shared } from './texts.ts';
import type { FieldgateSettings } from './types.ts';

type Props = DataSourcePluginOptionsEditorProps<FieldgateSettings, Record<string, string>>;

/** The library for YAML is as large as all the forms. */
const transfer = () => import(/* webpackChunkName: "transfer" */ './config/transfer/Transfer.tsx');
const ExportDialog = later(async () => (await transfer()).ExportDialog);
const ImportDialog = later(async () => (await transfer()).ImportDialog);

/** How often states of connections and devices are asked, while somebody looks. */
const stateEveryMs = 5_000;

/** The settings as forms drawn from the backend's schemas, or as JSON; nothing that the forms do not know is lost. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const resources = useMemo(() => new Resources(options.uid), [options.uid]);
  const { known, error, retry } = useKnown(resources);
  const [side, setSide] = useState<'form' | 'json'>('form');
  const [dialog, setDialog] = useState<'import' | 'export'>();
  const [target, setTarget] = useState<{ place: string }>();
  const root = useRef<HTMLDivElement>(null);
  // Two changes in one turn (a device and its points) must not undo each other.
  const latest = useRef(options);
  latest.current = options;
  const document = useMemo(() => ownOf(options.jsonData), [options.jsonData]);
  const readOnly = options.readOnly === true;
  const checked = useCheck(resources, document);
  const connections = usePolled(known ? resources.connections : undefined, stateEveryMs, options.uid);
  const devices = usePolled(known ? resources.devices : undefined, stateEveryMs, options.uid);

  useEffect(() => {
    if (!target || !root.current) return;
    return showPlace(root.current, target.place);
  }, [target]);

  function update(next: Partial<typeof options>): void {
    latest.current = { ...latest.current, ...next };
    onOptionsChange(latest.current);
  }
  const change = (next: Item) => update({ jsonData: ownOf(next) as FieldgateSettings });
  const set: Editor['set'] = (path, value) => {
    // Saying the same again is no change, and must not render everything anew.
    if (!Object.is(valueAt(latest.current.jsonData, path), value)) change(withValue(latest.current.jsonData, path, value) as Item);
  };
  function jump(place: string): void {
    setSide('form');
    setTarget({ place });
  }

  const connectionStates = useMemo(() => new Map(connections?.map((one) => [one.id, one])), [connections]);
  const deviceStates = useMemo(() => new Map(devices?.map((one) => [one.id, one])), [devices]);
  const faults = checked.check?.faults ?? [];
  const secrets: Editor['secrets'] = {
    configured: options.secureJsonFields ?? {},
    typed: options.secureJsonData ?? {},
    set: (name, value) => update({ secureJsonData: { ...latest.current.secureJsonData, [name]: value } }),
    reset: (name) =>
      update({
        secureJsonFields: { ...latest.current.secureJsonFields, [name]: false },
        secureJsonData: { ...latest.current.secureJsonData, [name]: '' },
      }),
  };
  const isForm = side === 'form' && known !== undefined;

  return (
    <div ref={root}>
      {readOnly && <Alert severity="info" title={texts.readOnly} />}
      {error !== undefined && (
        <Alert severity="warning" title={texts.backend} buttonContent={texts.tryAgain} onRemove={retry}>
          {`${error} ${texts.backendHelp}`}
        </Alert>
      )}
      <Stack direction="row" justifyContent="space-between" wrap="wrap">
        <RadioButtonGroup
          aria-label={texts.showAs}
          options={[
            { value: 'form' as const, label: shared.form },
            { value: 'json' as const, label: 'JSON' },
          ]}
          value={error === undefined ? side : 'json'}
          disabled={error !== undefined}
          onChange={setSide}
        />
        <Stack direction="row" gap={1}>
          {!readOnly && (
            <Button variant="secondary" icon="upload" onClick={() => setDialog('import')}>
              {texts.import}
            </Button>
          )}
          <Button variant="secondary" icon="download-alt" onClick={() => setDialog('export')}>
            {texts.export}
          </Button>
        </Stack>
      </Stack>
      <Budget document={document} />
      <FaultList checked={checked} onJump={jump} />
      {side === 'form' && !known && error === undefined && <Note large>{texts.loading}</Note>}
      {isForm && (
        <EditorContext.Provider
          value={{
            ...known,
            document,
            resources,
            readOnly,
            connections: connectionStates,
            devices: deviceStates,
            secrets,
            change,
            set,
            jump,
          }}
        >
          <FormContext.Provider value={{ set, faults, readOnly, target }}>
            <Stack direction="column" gap={3}>
              <Connections />
              <Devices />
              <Sections />
            </Stack>
          </FormContext.Provider>
        </EditorContext.Provider>
      )}
      {(side === 'json' || error !== undefined) && (
        <JsonSide
          document={document}
          schema={known?.schema}
          schemaUrl={resources.imageUrl('schema')}
          readOnly={readOnly}
          onChange={change}
        />
      )}
      {dialog === 'export' && (
        <ExportDialog
          source={{
            name: options.name,
            uid: options.uid,
            type: options.type,
            jsonData: document,
            secrets: Object.keys(options.secureJsonFields ?? {}).filter((name) => options.secureJsonFields[name]),
          }}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'import' && (
        <ImportDialog
          document={document}
          type={options.type}
          onClose={() => setDialog(undefined)}
          onTake={(next) => {
            change(next);
            setDialog(undefined);
          }}
        />
      )}
    </div>
  );
}

/** Grafana's page adds a member of its own to what it hands to editors; it is no setting, and is not saved. */
function ownOf(jsonData: unknown): Item {
  const { pdcInjected: _grafanas, ...own } = itemOf(jsonData);
  return own;
}
