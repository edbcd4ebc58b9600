import { Button, FilterInput, Pagination, Stack, Text, UnitPicker } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../Note.tsx';
import type { PointNow } from '../reading.ts';
import { unseen } from '../unseen.ts';
import { useEditor } from './context.ts';
import { freshId, type Item, idOf, isWithin, itemOf, listOf, type Path, placeOf, textOf, valueAt } from './document.ts';
import { faultsAt, useForm, useTarget } from './form/context.ts';
import { Faults, Frame, inputIdOf } from './form/Frame.tsx';
import { Members } from './form/Members.tsx';
import { type FieldProps, SchemaField } from './form/SchemaField.tsx';
import { FaultMark, LastValue } from './Marks.tsx';
import { usePages } from './pages.ts';
import { Row } from './Row.tsx';
import type { Profile } from './resources.ts';
import { useRows } from './rows.ts';
import type { DriverSchemas, Schema } from './schema.ts';
import { texts } from './texts.ts';

const pageSize = 25;

interface Props {
  /** Of the device or profile. */
  path: Path;
  device: Item;
  driver: DriverSchemas | undefined;
  states: readonly PointNow[] | undefined;
  profile: Profile | undefined;
}

/** The points of a device: a line each with its address and last value, and a form for the one that is open. */
export function Points({ path, device, driver, states, profile }: Props) {
  const { schema, readOnly } = useEditor();
  const { set, faults } = useForm();
  const list = listOf(device.points);
  const [search, setSearch] = useState('');
  const listPath = [...path, 'points'];
  const put = (next: unknown[]) => set(listPath, next.length === 0 ? undefined : next);
  const { setOpen, actsOf } = useRows(list, put);
  const ids = list.map(idOf);
  const inherited = (profile?.points ?? []).filter(({ id }) => !ids.includes(id ?? ''));
  const shown = list.flatMap((point, index) =>
    `${idOf(point)} ${textOf(itemOf(point).title)} ${addressText(itemOf(point).address)}`.toLowerCase().includes(search.toLowerCase())
      ? [index]
      : [],
  );
  const { lines, turnTo, pager } = usePages(shown, pageSize);

  /** Opens a point wherever it is: a search that hides it goes. */
  function reveal(index: number): void {
    setSearch('');
    turnTo(index);
    setOpen(index);
  }
  useTarget((wanted) => {
    const index = list.findIndex((_one, at) => isWithin(wanted, placeOf([...listPath, at])));
    if (index >= 0) reveal(index);
  });

  const stateOf = (id: string) => states?.find((one) => one.id === id);
  const pointSchema = pointSchemaOf(schema, driver?.address);

  return (
    <section aria-label={texts.pointsOf(idOf(device))} style={{ marginTop: 16 }}>
      <Stack direction="row" justifyContent="space-between" alignItems="center" wrap="wrap">
        <Text element="h4">{`${texts.points} (${list.length + inherited.length})`}</Text>
        {!readOnly && (
          <Button
            variant="secondary"
            size="sm"
            icon="plus"
            onClick={() => {
              put([...list, { id: freshId('point', ids) }]);
              reveal(list.length);
            }}
          >
            {texts.addPoint}
          </Button>
        )}
      </Stack>
      <Faults faults={faultsAt(faults, placeOf(listPath))} />
      {list.length > pageSize && (
        <FilterInput
          escapeRegex={false}
          aria-label={texts.searchPoints}
          placeholder={texts.searchPointsBy}
          value={search}
          onChange={setSearch}
        />
      )}
      {list.length + inherited.length === 0 && <Note>{texts.noPoints}</Note>}
      <Stack direction="column" gap={0.5}>
        {lines.map((index) => {
          const point = itemOf(list[index]);
          const id = textOf(point.id);
          const place = placeOf([...listPath, index]);
          return (
            <Row
              key={index}
              place={place}
              title={textOf(point.title) || id || '?'}
              subtitle={[point.title === undefined ? undefined : id, addressText(point.address), textOf(point.unit)]
                .filter(Boolean)
                .join(' · ')}
              marks={
                <>
                  <LastValue point={stateOf(id)} />
                  <FaultMark place={place} />
                </>
              }
              {...(search === '' ? actsOf(index, index - 1, index + 1) : actsOf(index))}
              readOnly={readOnly}
              removeQuestion={texts.removePoint}
            >
              {() => (
                <>
                  <Faults faults={faultsAt(faults, place)} />
                  <Members
                    schema={pointSchema}
                    path={[...listPath, index]}
                    value={point}
                    own={pointFields}
                    front={['id', 'title', 'unit', 'access', 'scale', 'offset', 'address']}
                  />
                </>
              )}
            </Row>
          );
        })}
      </Stack>
      <Pagination {...pager} />
      {inherited.length > 0 && profile && (
        <>
          <Note>{texts.fromProfileOf(profile.title)}</Note>
          <div style={{ overflowX: 'auto' }}>
            <table style={{ width: '100%' }}>
              <thead>
                <tr>
                  {[...texts.pointColumns].map((head) => (
                    <th key={head} scope="col" style={{ textAlign: 'left', fontWeight: 500, padding: '2px 12px 2px 0' }}>
                      {head}
                    </th>
                  ))}
                  {!readOnly && (
                    <th scope="col">
                      <span style={unseen}>{texts.actions}</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {inherited.map((point) => (
                  <tr key={point.id}>
                    <td style={cell}>{point.title ?? point.id}</td>
                    <td style={cell}>{addressText(point.address)}</td>
                    <td style={cell}>{point.unit}</td>
                    <td style={cell}>
                      <LastValue point={stateOf(point.id ?? '')} />
                    </td>
                    {!readOnly && (
                      <td style={{ ...cell, textAlign: 'right' }}>
                        <Button
                          variant="secondary"
                          fill="text"
                          size="sm"
                          aria-label={`${texts.override}: ${point.title ?? point.id}`}
                          onClick={() => {
                            put([...list, structuredClone(point)]);
                            reveal(list.length);
                          }}
                        >
                          {texts.override}
                        </Button>
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

const cell = { padding: '2px 12px 2px 0', verticalAlign: 'middle' } as const;

/** Where a value is, in a line: the members' values one behind the other. */
export function addressText(address: unknown): string {
  if (typeof address !== 'object' || address === null) return address === undefined ? '' : String(address);
  return Object.values(address)
    .map((value) => (typeof value === 'object' ? addressText(value) : String(value)))
    .filter(Boolean)
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 80);
}

export function pointSchemaOf(settings: Schema, address: Schema | undefined): Schema {
  const item = (valueAt(settings, ['properties', 'devices', 'items', 'properties', 'points', 'items']) ?? {}) as Schema;
  if (!address) return item;
  return { ...item, properties: { ...item.properties, address: { ...address, description: item.properties?.address?.description ?? '' } } };
}

const pointFields = {
  address: (props: FieldProps) => <SchemaField {...props} isOpen />,
  unit: (props: FieldProps) => <UnitField {...props} />,
};

/** Grafana's own list of units. */
function UnitField({ schema, path, value, label = '' }: FieldProps) {
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  if (readOnly) return <SchemaField schema={schema} path={path} value={value} label={label} />;
  return (
    <Frame place={place} inputId={inputIdOf(place)} label={label} help={schema.description} faults={faultsAt(faults, place)}>
      <UnitPicker
        id={inputIdOf(place)}
        value={textOf(value)}
        onChange={(unit) => set(path, unit === undefined || unit === '' ? undefined : unit)}
      />
    </Frame>
  );
}
