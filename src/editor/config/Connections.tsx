import { Button, Dropdown, Menu, Stack, Text } from '@grafana/ui';
import { Note } from '../Note.tsx';
import { ConnectionForm } from './ConnectionForm.tsx';
import { driverOf, useEditor } from './context.ts';
import { freshId, idOf, isWithin, itemOf, listOf, textOf } from './document.ts';
import { useTarget } from './form/context.ts';
import { FaultMark, StateMark } from './Marks.tsx';
import { Row } from './Row.tsx';
import { useRows } from './rows.ts';
import { texts } from './texts.ts';

/** All connections: one line each, one of them open. */
export function Connections() {
  const { document, drivers, connections: running, devices: runningDevices, readOnly, change } = useEditor();
  const list = listOf(document.connections);
  const devices = listOf(document.devices);
  const put = (next: unknown[]) => change({ ...document, version: document.version ?? 1, connections: next });
  const { setOpen, actsOf } = useRows(list, put, list.length === 1 ? 0 : undefined);
  useTarget((wanted) => {
    const index = list.findIndex((_one, at) => isWithin(wanted, `connections[${at}]`));
    if (index >= 0) setOpen(index);
  });

  function add(kind: string): void {
    put([...list, { id: freshId(kind, list.map(idOf)), kind }]);
    setOpen(list.length);
  }

  return (
    <section aria-label={texts.connections}>
      <Stack direction="row" justifyContent="space-between" alignItems="center" wrap="wrap">
        <Text element="h3">{`${texts.connections} (${list.length})`}</Text>
        {!readOnly && list.length > 0 && (
          <Dropdown
            overlay={
              <Menu>
                {drivers.map(({ kind, title }) => (
                  <Menu.Item key={kind} label={title} onClick={() => add(kind)} />
                ))}
              </Menu>
            }
          >
            <Button variant="secondary" icon="plus">
              {texts.addConnection}
            </Button>
          </Dropdown>
        )}
      </Stack>
      {list.length === 0 && !readOnly && (
        <Stack direction="column" gap={1}>
          <Text element="p">{texts.first}</Text>
          <Stack direction="row" gap={1} wrap="wrap">
            {drivers.map(({ kind, title }) => (
              <Button key={kind} variant="primary" icon="plus" onClick={() => add(kind)}>
                {title}
              </Button>
            ))}
          </Stack>
          <Note>{texts.firstHelp}</Note>
        </Stack>
      )}
      <Stack direction="column" gap={1}>
        {list.map((raw, index) => {
          const connection = itemOf(raw);
          const id = textOf(connection.id);
          const driver = driverOf(drivers, connection.kind);
          const behind = devices.filter((device) => id !== '' && itemOf(device).connection === id).length;
          const known = new Set(devices.map(idOf));
          const found = [...runningDevices.values()].filter((device) => device.connection === id && !known.has(device.id)).length;
          const place = `connections[${index}]`;
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an id is being typed and may be there twice.
            <article key={index} aria-label={id}>
              <Row
                place={place}
                title={textOf(connection.title) || id || driver?.title || '?'}
                subtitle={`${id} · ${driver?.title ?? textOf(connection.kind)} · ${texts.behindIt(behind, found)}`}
                marks={
                  <>
                    <FaultMark place={place} />
                    <StateMark state={running.get(id)} />
                  </>
                }
                {...actsOf(index, index - 1, index + 1)}
                readOnly={readOnly}
                removeQuestion={texts.removeConnection(behind)}
              >
                {() => <ConnectionForm index={index} connection={connection} driver={driver} />}
              </Row>
            </article>
          );
        })}
      </Stack>
    </section>
  );
}
