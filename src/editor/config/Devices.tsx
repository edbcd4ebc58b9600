import { Button, FilterInput, Pagination, Stack, Text } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { Note } from '../Note.tsx';
import { useEditor } from './context.ts';
import { DeviceRow } from './DeviceRow.tsx';
import { freshId, idOf, isWithin, itemOf, listOf, textOf } from './document.ts';
import { useTarget } from './form/context.ts';
import { Picker } from './form/Picker.tsx';
import { ProfilePicker } from './ProfilePicker.tsx';
import { usePages } from './pages.ts';
import { useRows } from './rows.ts';
import { texts } from './texts.ts';

/** Lines drawn at once: each asks for its values, and a page of them is quick to draw whatever the number of devices. */
const pageSize = 20;

/** All devices: searched, a page at a time, one of them open. */
export function Devices() {
  const { document, readOnly, change } = useEditor();
  const list = useMemo(() => listOf(document.devices), [document.devices]);
  const connections = listOf(document.connections).map(idOf).filter(Boolean);
  const [search, setSearch] = useState('');
  const [behind, setBehind] = useState<string>();
  const [isPicking, setPicking] = useState(false);
  const put = (next: unknown[]) => change({ ...document, version: document.version ?? 1, devices: next });
  const { setOpen, actsOf } = useRows(list, put);

  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return list.flatMap((device, index) => {
      const { connection, profile, title, labels } = itemOf(device);
      if (behind !== undefined && connection !== behind) return [];
      const text = [idOf(device), title, connection, profile, ...Object.values(itemOf(labels))].join(' ').toLowerCase();
      return words.every((word) => text.includes(word)) ? [index] : [];
    });
  }, [list, search, behind]);
  const { lines, start, turnTo, pager } = usePages(shown, pageSize);

  /** Opens a device wherever it is: filters that hide it go. */
  function reveal(index: number): void {
    setSearch('');
    setBehind(undefined);
    turnTo(index);
    setOpen(index);
  }
  useTarget((wanted) => {
    const index = list.findIndex((_one, at) => isWithin(wanted, `devices[${at}]`));
    if (index >= 0) reveal(index);
  });

  function add(device: Record<string, unknown>): void {
    put([...list, { ...device, id: freshId(textOf(device.id) || 'device', list.map(idOf)) }]);
    reveal(list.length);
  }
  const defaultConnection = behind ?? connections.at(-1) ?? '';

  return (
    <section aria-label={texts.devices}>
      <Stack direction="row" justifyContent="space-between" alignItems="center" wrap="wrap">
        <Text element="h3">{`${texts.devices} (${shown.length === list.length ? list.length : texts.someOf(shown.length, list.length)})`}</Text>
        {!readOnly && connections.length > 0 && (
          <Stack direction="row" gap={1} wrap="wrap">
            <Button variant="secondary" icon="plus" onClick={() => add({ id: 'device', connection: defaultConnection })}>
              {texts.addDevice}
            </Button>
            <Button variant="secondary" icon="apps" onClick={() => setPicking(true)}>
              {texts.fromProfile}
            </Button>
          </Stack>
        )}
      </Stack>
      {list.length > 1 && (
        <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, margin: '8px 0' }}>
          <div style={{ flex: '1 1 200px' }}>
            <FilterInput
              escapeRegex={false}
              aria-label={texts.searchDevices}
              placeholder={texts.searchDevicesBy}
              value={search}
              onChange={setSearch}
            />
          </div>
          {connections.length > 1 && (
            <div style={{ flex: '0 1 220px' }}>
              <Picker
                id="fieldgate-behind"
                label={texts.onlyBehind}
                placeholder={texts.allConnections}
                options={connections.map((value) => ({ value }))}
                value={behind ?? null}
                onChange={setBehind}
              />
            </div>
          )}
        </div>
      )}
      {list.length === 0 && <Note large>{connections.length === 0 ? texts.devicesLater : texts.noDevices}</Note>}
      {list.length > 0 && shown.length === 0 && <Note large>{texts.noMatch}</Note>}
      <Stack direction="column" gap={1}>
        {lines.map((index, line) => (
          <DeviceRow
            key={index}
            index={index}
            device={itemOf(list[index])}
            {...actsOf(index, shown[start + line - 1], shown[start + line + 1], reveal)}
          />
        ))}
      </Stack>
      <Pagination {...pager} />
      {isPicking && (
        <ProfilePicker
          connection={defaultConnection}
          onClose={() => setPicking(false)}
          onPick={(device) => {
            setPicking(false);
            add(device);
          }}
        />
      )}
    </section>
  );
}
