import { Alert, Button, ClipboardButton, Field, FileDropzone, Modal, RadioButtonGroup, Stack, Text, TextArea } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { Note } from '../../Note.tsx';
import { type Item, listOf } from '../document.ts';
import { texts } from '../texts.ts';
import { added, readFile } from './read.ts';
import { asJson, asProvisioning, environmentName, type Provisioned } from './write.ts';

/** Writes the settings as a file to copy or download. */
export function ExportDialog({ source, onClose }: { source: Provisioned; onClose(): void }) {
  const [format, setFormat] = useState<'yaml' | 'json'>('yaml');
  const text = useMemo(() => (format === 'yaml' ? asProvisioning(source) : asJson(source.jsonData)), [source, format]);
  function download(): void {
    const url = URL.createObjectURL(new Blob([text], { type: format === 'yaml' ? 'application/yaml' : 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href: url, download: `fieldgate.${format}` });
    link.click();
    URL.revokeObjectURL(url);
  }
  return (
    <Modal title={texts.exportSettings} isOpen onDismiss={onClose}>
      <Stack direction="column" gap={1}>
        <RadioButtonGroup
          aria-label={texts.format}
          options={[
            { value: 'yaml' as const, label: texts.asYaml },
            { value: 'json' as const, label: 'JSON' },
          ]}
          value={format}
          onChange={setFormat}
        />
        {format === 'yaml' && <Note>{texts.asFile(source.secrets.map(environmentName).join(', '))}</Note>}
        <TextArea
          aria-label={texts.settingsFile}
          readOnly
          value={text}
          rows={18}
          spellCheck={false}
          style={{ fontFamily: 'monospace', whiteSpace: 'pre' }}
        />
      </Stack>
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={onClose}>
          {texts.close}
        </Button>
        <ClipboardButton variant="secondary" icon="copy" getText={() => text}>
          {texts.copy}
        </ClipboardButton>
        <Button icon="download-alt" onClick={download}>
          {texts.download}
        </Button>
      </Modal.ButtonRow>
    </Modal>
  );
}

interface ImportProps {
  document: Item;
  type: string;
  onTake(document: Item): void;
  onClose(): void;
}

/** Reads settings from a file or a text; they go into the form and are saved only with it. */
export function ImportDialog({ document, type, onTake, onClose }: ImportProps) {
  const [text, setText] = useState('');
  const isEmpty = listOf(document.connections).length + listOf(document.devices).length === 0;
  const [mode, setMode] = useState<'add' | 'replace'>(isEmpty ? 'replace' : 'add');
  const read = useMemo(() => {
    if (text === '') return undefined;
    try {
      return readFile(text, type);
    } catch (error) {
      return (error as Error).message;
    }
  }, [text, type]);
  const file = typeof read === 'object' ? read : undefined;
  return (
    <Modal title={texts.importSettings} isOpen onDismiss={onClose}>
      <FileDropzone
        id="fieldgate-import-file"
        readAs="readAsText"
        options={{ multiple: false }}
        fileListRenderer={() => null}
        onLoad={(result) => setText(typeof result === 'string' ? result : '')}
      />
      <Field label={texts.paste} description={texts.pasteHelp} htmlFor="fieldgate-import-text">
        <TextArea
          id="fieldgate-import-text"
          value={text}
          rows={10}
          spellCheck={false}
          style={{ fontFamily: 'monospace' }}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      </Field>
      {typeof read === 'string' && <Alert severity="error" title={read} />}
      {file && (
        <Stack direction="column" gap={1}>
          <Text element="p">
            {texts.holds(
              listOf(file.document.connections).length,
              listOf(file.document.devices).length,
              listOf(file.document.profiles).length,
              file.note,
            )}
          </Text>
          <RadioButtonGroup
            aria-label={texts.whatHappens}
            options={[
              { value: 'add' as const, label: texts.addToThese },
              { value: 'replace' as const, label: texts.replaceAll },
            ]}
            value={mode}
            onChange={setMode}
          />
        </Stack>
      )}
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={onClose}>
          {texts.cancel}
        </Button>
        <Button
          disabled={!file}
          onClick={() => {
            if (file) onTake(mode === 'add' ? added(document, file.document) : file.document);
          }}
        >
          {mode === 'add' ? texts.add : texts.replace}
        </Button>
      </Modal.ButtonRow>
    </Modal>
  );
}
