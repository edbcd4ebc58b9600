import { Alert, Button, Stack } from '@grafana/ui';
import { useState } from 'react';
import { useEditor } from './context.ts';
import { type Item, placeOf, textOf, withConnectionId } from './document.ts';
import { FormContext, faultsAt, useForm } from './form/context.ts';
import { Faults } from './form/Frame.tsx';
import { Members } from './form/Members.tsx';
import { type FieldProps, SchemaField } from './form/SchemaField.tsx';
import { Secrets } from './Secrets.tsx';
import type { DriverSchemas } from './schema.ts';
import { SurveyDialog } from './survey/SurveyDialog.tsx';
import { texts } from './texts.ts';

interface Props {
  index: number;
  connection: Item;
  driver: DriverSchemas | undefined;
}

/** What the driver says a connection needs, its secrets, and ways to find out what is behind it. */
export function ConnectionForm({ index, connection, driver }: Props) {
  const { document, connections, readOnly, change } = useEditor();
  const form = useForm();
  const [survey, setSurvey] = useState<'probe' | 'scan'>();
  const path = ['connections', index];
  const place = placeOf(path);
  const id = textOf(connection.id);
  const state = connections.get(id);
  if (!driver) {
    return (
      <>
        <Alert severity="warning" title={texts.noDriver(JSON.stringify(connection.kind))} />
        <SchemaField schema={{}} path={path} value={connection} label={texts.connectionJson} />
      </>
    );
  }
  // Devices go by the id of their connection: it is changed in both places at once.
  const own = {
    id: (props: FieldProps) => (
      <FormContext.Provider
        value={{ ...form, set: (_path, value) => change(withConnectionId(document, index, typeof value === 'string' ? value : '')) }}
      >
        <SchemaField {...props} />
      </FormContext.Provider>
    ),
  };
  return (
    <>
      {state?.error !== undefined && state.state !== 'up' && <Alert severity="warning" title={state.error} />}
      <Faults faults={faultsAt(form.faults, place)} />
      <Members schema={driver.connection} path={path} value={connection} own={own} />
      <Secrets connection={id} names={driver.secrets} />
      {!readOnly && driver.survey && (
        <Stack direction="row" gap={1} wrap="wrap">
          {(['probe', 'scan'] as const)
            .filter((kind) => driver.survey?.[kind])
            .map((kind) => (
              <Button
                key={kind}
                variant="secondary"
                size="sm"
                icon={kind === 'scan' ? 'search' : 'question-circle'}
                disabled={id === ''}
                onClick={() => setSurvey(kind)}
              >
                {texts[kind]}
              </Button>
            ))}
        </Stack>
      )}
      {survey && <SurveyDialog kind={survey} index={index} connection={connection} driver={driver} onClose={() => setSurvey(undefined)} />}
    </>
  );
}
