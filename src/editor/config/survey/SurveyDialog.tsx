import { Alert, Button, Checkbox, Modal, Stack, Text } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../../Note.tsx';
import { useEditor } from '../context.ts';
import { type Item, idOf, itemOf, listOf, type Path, textOf, withValue } from '../document.ts';
import { FormContext } from '../form/context.ts';
import { Members } from '../form/Members.tsx';
import { Picker } from '../form/Picker.tsx';
import { TextOpener } from '../Opener.tsx';
import type { Finding } from '../resources.ts';
import { type DriverSchemas, nameOf } from '../schema.ts';
import { texts } from '../texts.ts';
import { useSurvey } from './run.ts';
import { taken } from './take.ts';

interface Props {
  kind: 'probe' | 'scan';
  index: number;
  connection: Item;
  driver: DriverSchemas;
  onClose(): void;
}

/** Looks for what is behind a connection, with the settings as they stand in the form; what is ticked is added to them. */
export function SurveyDialog({ kind, index, connection, driver, onClose }: Props) {
  const { document, resources, secrets, change, jump } = useEditor();
  const [holder, setHolder] = useState<Item>({ options: {} });
  const { state, start, cancel } = useSurvey(resources);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [isFolded, setFolded] = useState(false);
  const [into, setInto] = useState('new');
  const id = idOf(connection);
  // What was found needs the room; what is wrong with the options has to be seen.
  const showsOptions = !isFolded || state.faults.length > 0;
  const isRunning = state.phase === 'running';
  const chosen = state.findings.filter((finding) => ticked.has(finding.id));
  const hasPoints = chosen.some(({ proposes }) => proposes?.points && !proposes.devices);
  const devices = listOf(document.devices).flatMap((device, at) =>
    itemOf(device).connection === id ? [{ value: String(at), label: textOf(itemOf(device).title) || idOf(device) }] : [],
  );

  function begin(): void {
    const typed = driver.secrets.flatMap((name) => {
      const value = secrets.typed[`${id}.${name}`];
      return value ? [[name, value]] : [];
    });
    setTicked(new Set());
    setFolded(true);
    void start(id, kind, { options: holder.options ?? {}, connection, secrets: Object.fromEntries(typed) });
  }
  function take(): void {
    const target = into === 'new' ? undefined : Number(into);
    const next = taken(document, index, chosen, target);
    change(next.document);
    onClose();
    jump(next.device === undefined ? `connections[${index}]` : `devices[${next.device}]`);
  }
  const toggle = (finding: Finding) => {
    const next = new Set(ticked);
    if (!next.delete(finding.id)) next.add(finding.id);
    setTicked(next);
  };

  return (
    <Modal title={`${texts[kind]} ${textOf(connection.title) || id}`} isOpen onDismiss={onClose}>
      <FormContext.Provider
        value={{ faults: state.faults, readOnly: isRunning, set: (path: Path, value) => setHolder(withValue(holder, path, value) as Item) }}
      >
        <Note large>{driver.survey?.[kind]?.description ?? (kind === 'scan' ? texts.scanHelp : texts.probeHelp)}</Note>
        {state.phase !== 'idle' && (
          <TextOpener isOpen={showsOptions} onToggle={() => setFolded(showsOptions)}>
            {texts.options}
          </TextOpener>
        )}
        {showsOptions && <Members schema={driver.survey?.[kind] ?? {}} path={['options']} value={holder.options ?? {}} />}
      </FormContext.Provider>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, alignItems: 'center', margin: '12px 0' }}>
        {isRunning ? (
          <Button variant="destructive" onClick={cancel}>
            {texts.cancel}
          </Button>
        ) : (
          <Button icon="search" onClick={begin}>
            {state.phase === 'idle' ? texts.startOf(kind) : texts.againOf(texts[kind])}
          </Button>
        )}
        {isRunning && (
          <progress
            aria-label={texts.progress}
            {...(state.total ? { value: state.done, max: state.total } : {})}
            style={{ flex: '1 1 120px' }}
          />
        )}
        {isRunning && <Note inline>{`${state.text}${state.total ? texts.progressOf(state.done, state.total) : ''}`}</Note>}
      </div>
      <div role="status">
        {state.notes.map((note) => (
          <Alert key={note} severity={state.isFailed ? 'error' : 'info'} title={`${note.charAt(0).toUpperCase()}${note.slice(1)}`} />
        ))}
      </div>
      <Findings findings={state.findings} ticked={ticked} onToggle={toggle} onAll={(all) => setTicked(new Set(all))} />
      <Modal.ButtonRow
        leftItems={
          hasPoints && (
            <Stack direction="row" gap={1} alignItems="center">
              <Text>{texts.pointsGoTo}</Text>
              <Picker
                id="fieldgate-points-go"
                isRequired
                label={texts.pointsGoTo}
                width={28}
                options={[{ value: 'new', label: texts.newDevice }, ...devices]}
                value={into}
                onChange={(next) => setInto(next ?? 'new')}
              />
            </Stack>
          )
        }
      >
        <Button variant="secondary" fill="outline" onClick={onClose}>
          {texts.close}
        </Button>
        <Button disabled={chosen.length === 0} onClick={take}>
          {chosen.length === 0 ? texts.add : `${texts.add} ${chosen.length}`}
        </Button>
      </Modal.ButtonRow>
    </Modal>
  );
}

interface FindingsProps {
  findings: readonly Finding[];
  ticked: ReadonlySet<string>;
  onToggle(finding: Finding): void;
  onAll(ids: string[]): void;
}

/** Findings of one kind share a table; the surest come first. */
function Findings({ findings, ticked, onToggle, onAll }: FindingsProps) {
  const kinds = [...new Set(findings.map(({ kind }) => kind))];
  const useful = findings.filter(({ proposes }) => proposes).map(({ id }) => id);
  return (
    <>
      {useful.length > 1 && (
        <Button variant="secondary" fill="text" size="sm" onClick={() => onAll(ticked.size === useful.length ? [] : useful)}>
          {ticked.size === useful.length ? texts.tickNone : texts.tickAll(useful.length)}
        </Button>
      )}
      {kinds.map((kind) => {
        const rows = findings.filter((one) => one.kind === kind).sort((one, other) => (other.score ?? 0) - (one.score ?? 0));
        const columns = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
        return (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways has to be reached by the keyboard.
          <section key={kind} aria-label={nameOf(kind)} tabIndex={0} style={{ ...clipped, overflowX: 'auto', marginBottom: 12 }}>
            <table style={{ width: '100%' }}>
              <caption
                style={{ captionSide: 'top', color: 'inherit', fontWeight: 500, padding: '4px 0', textAlign: 'left' }}
              >{`${nameOf(kind)} (${rows.length})`}</caption>
              <thead>
                <tr>
                  <th scope="col" style={head}>
                    {texts.add}
                  </th>
                  {columns.map((name) => (
                    <th key={name} scope="col" style={head}>
                      {nameOf(name)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((finding) => (
                  <tr key={finding.id}>
                    <td style={cell}>
                      {finding.proposes && (
                        <Checkbox aria-label={finding.text} value={ticked.has(finding.id)} onChange={() => onToggle(finding)} />
                      )}
                    </td>
                    {columns.map((name) => (
                      <td key={name} style={cell} title={finding.text}>
                        {String(finding.values[name] ?? '')}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        );
      })}
    </>
  );
}

const head = { textAlign: 'left', fontWeight: 500, padding: '2px 12px 2px 0', whiteSpace: 'nowrap' } as const;
/** Grafana's checkboxes are placed in their nearest positioned ancestor: outside of what scrolls they would be drawn over the buttons below. */
const clipped = { position: 'relative' } as const;
const cell = { padding: '2px 12px 2px 0', verticalAlign: 'top', overflowWrap: 'anywhere' } as const;
