import { Grid, SecretInput, SecretTextArea } from '@grafana/ui';
import { useState } from 'react';
import { useEditor } from './context.ts';
import { useForm } from './form/context.ts';
import { Frame } from './form/Frame.tsx';
import { Note } from './Note.tsx';
import { nameOf } from './schema.ts';
import { texts } from './texts.ts';

/** Certificates and keys have many lines. */
const isLong = (name: string): boolean => ['ca', 'cert', 'key'].includes(name);

/** The secrets a protocol knows, kept under `<connection id>.<name>`. */
export function Secrets({ connection, names }: { connection: string; names: readonly string[] }) {
  const { secrets, readOnly } = useEditor();
  const { faults } = useForm();
  const [firstId] = useState(connection);
  const hasOld = firstId !== connection && names.some((name) => secrets.configured[`${firstId}.${name}`]);
  if (names.length === 0 || connection === '') return null;
  return (
    <fieldset style={{ border: 0, padding: 0, margin: '16px 0 0', minWidth: 0 }}>
      <legend style={{ fontSize: 'inherit', fontWeight: 500, border: 0, margin: '0 0 4px', width: 'auto' }}>{texts.secrets}</legend>
      <Note>{hasOld ? texts.secretsMoved(firstId) : texts.secretsHelp}</Note>
      <Grid minColumnWidth={34} gap={2} alignItems="start">
        {names.map((name) => {
          const full = `${connection}.${name}`;
          const place = `secureJsonData["${full}"]`;
          const shared = {
            id: `fieldgate-secret-${full}`,
            'aria-label': `${nameOf(name)} of ${connection}`,
            isConfigured: secrets.configured[full] ?? false,
            value: secrets.typed[full] ?? '',
            disabled: readOnly,
            onReset: () => secrets.reset(full),
          };
          return (
            <Frame
              key={full}
              place={place}
              inputId={shared.id}
              label={nameOf(name)}
              faults={faults.filter((fault) => fault.place === place)}
            >
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
        })}
      </Grid>
    </fieldset>
  );
}
