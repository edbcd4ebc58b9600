import { Grid, SecretInput, SecretTextArea } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../Note.tsx';
import { useEditor } from './context.ts';
import { useForm } from './form/context.ts';
import { Frame } from './form/Frame.tsx';
import { TextOpener } from './Opener.tsx';
import { nameOf } from './schema.ts';
import { texts } from './texts.ts';

/** Certificates and keys have many lines. */
const isLong = (name: string): boolean => ['ca', 'cert', 'key'].includes(name);
/** What only encrypted lines need waits behind a button. */
const isRare = (name: string): boolean => isLong(name) || name === 'passphrase';

/** The secrets a protocol knows, kept under `<connection id>.<name>`. */
export function Secrets({ connection, names }: { connection: string; names: readonly string[] }) {
  const { secrets } = useEditor();
  const [firstId] = useState(connection);
  const [isOpen, setOpen] = useState(false);
  const hasOld = firstId !== connection && names.some((name) => secrets.configured[`${firstId}.${name}`]);
  if (names.length === 0 || connection === '') return null;
  const rare = names.filter(isRare);
  const isSet = rare.some((name) => secrets.configured[`${connection}.${name}`] || secrets.typed[`${connection}.${name}`]);
  const shown = names.filter((name) => isOpen || isSet || !isRare(name));
  return (
    <fieldset style={{ border: 0, padding: 0, margin: '16px 0 0', minWidth: 0 }}>
      <legend style={{ fontSize: 'inherit', fontWeight: 500, border: 0, margin: '0 0 4px', width: 'auto' }}>{texts.secrets}</legend>
      <div style={{ marginBottom: 8 }}>
        <Note color={hasOld ? 'warning' : 'secondary'}>{hasOld ? texts.secretsMoved(firstId) : texts.secretsHelp}</Note>
      </div>
      {shown.length > 0 && (
        <Grid minColumnWidth={34} gap={2} alignItems="start">
          {shown.map((name) => (
            <SecretField key={name} connection={connection} name={name} />
          ))}
        </Grid>
      )}
      {rare.length > 0 && !isSet && (
        <TextOpener isOpen={isOpen} onToggle={() => setOpen(!isOpen)}>
          {texts.certificates}
        </TextOpener>
      )}
    </fieldset>
  );
}

function SecretField({ connection, name }: { connection: string; name: string }) {
  const { secrets, readOnly } = useEditor();
  const { faults } = useForm();
  const full = `${connection}.${name}`;
  const place = `secureJsonData["${full}"]`;
  const label = texts.secretNames[name] ?? nameOf(name);
  const shared = {
    id: `fieldgate-secret-${full}`,
    'aria-label': texts.secretOf(label, connection),
    isConfigured: secrets.configured[full] ?? false,
    value: secrets.typed[full] ?? '',
    disabled: readOnly,
    onReset: () => secrets.reset(full),
  };
  return (
    <Frame place={place} inputId={shared.id} label={label} faults={faults.filter((fault) => fault.place === place)}>
      {isLong(name) ? (
        <SecretTextArea
          {...shared}
          rows={3}
          placeholder="-----BEGIN …"
          onChange={(event) => secrets.set(full, event.currentTarget.value)}
        />
      ) : (
        <SecretInput {...shared} autoComplete="new-password" onChange={(event) => secrets.set(full, event.currentTarget.value)} />
      )}
    </Frame>
  );
}
