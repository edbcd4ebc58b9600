import { Button, FilterInput, Pagination, Stack, Text } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { useEditor } from './context.ts';
import { DeviceRow } from './DeviceRow.tsx';
import { duplicated, freshId, idOf, isWithin, itemOf, listOf, moved, textOf } from './document.ts';
import { useTarget } from './form/context.ts';
import { Picker } from './form/Picker.tsx';
import { Note } from './Note.tsx';
import { ProfilePicker } from './ProfilePicker.tsx';
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
  const [page, setPage] = useState(1);
  const [open, setOpen] = useState<number>();
  const [isPicking, setPicking] = useState(false);

  const shown = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return list.flatMap((device, index) => {
      const { connection, profile, title, labels } = itemOf(device);
      if (behind !== undefined && connection !== behind) return [];
      const text = [idOf(device), title, connection, profile, ...Object.values(itemOf(labels))].join(' ').toLowerCase();
      return words.every((word) => text.includes(word)) ? [index] : [];
    });
  }, [list, search, behind]);
  const pages = Math.max(Math.ceil(shown.length / pageSize), 1);
  const current = Math.min(page, pages);

  /** Opens a device wherever it is: filters that hide it go. */
  function reveal(index: number): void {
    setSearch('');
    setBehind(undefined);
    setPage(Math.floor(index / pageSize) + 1);
    setOpen(index);
  }
  useTarget((wanted) => {
    const index = list.findIndex((_one, at) => isWithin(wanted, `devices[${at}]`));
    if (index >= 0) reveal(index);
  });

  const put = (next: unknown[]) => change({ ...document, version: document.version ?? 1, devices: next });
  function add(device: Record<string, unknown>): void {
    put([...list, { ...device, id: freshId(textOf(device.id) || 'device', list.map(idOf)) }]);
    reveal(list.length);
  }
  function move(from: number, to: number): void {
    put(moved(list, from, to));
    if (open !== undefined) setOpen(open === from ? to : open === to ? from : open);
  }
  const defaultConnection = behind ?? connections.at(-1) ?? '';

  return (
    <section aria-label={texts.devices}>
      <Stack direction="row" justifyContent="space-between" alignItems="center" wrap="wrap">
        <Text element="h3">{`${texts.devices} (${shown.length === list.length ? list.length : `${shown.length} of ${list.length}`})`}</Text>
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
              aria-label="Search devices"
              placeholder="Search by id, title, connection, profile or label"
              value={search}
              onChange={setSearch}
            />
          </div>
          {connections.length > 1 && (
            <div style={{ flex: '0 1 220px' }}>
              <Picker
                id="fieldgate-behind"
                label="Only behind connection"
                placeholder="All connections"
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
        {shown.slice((current - 1) * pageSize, current * pageSize).map((index, line) => {
          const position = (current - 1) * pageSize + line;
          const [before, after] = [shown[position - 1], shown[position + 1]];
          return (
            <DeviceRow
              key={index}
              index={index}
              device={itemOf(list[index])}
              isOpen={open === index}
              onToggle={() => setOpen(open === index ? undefined : index)}
              onUp={before === undefined ? undefined : () => move(index, before)}
              onDown={after === undefined ? undefined : () => move(index, after)}
              onDuplicate={() => {
                put(duplicated(list, index));
                reveal(index + 1);
              }}
              onRemove={() => {
                put(list.filter((_one, at) => at !== index));
                setOpen(undefined);
              }}
            />
          );
        })}
      </Stack>
      <Pagination currentPage={current} numberOfPages={pages} onNavigate={setPage} hideWhenSinglePage />
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
