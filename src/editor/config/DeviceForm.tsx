import { Alert } from '@grafana/ui';
import type { PointNow } from '../reading.ts';
import { driverOf, useEditor } from './context.ts';
import { type Item, idOf, itemOf, listOf, placeOf, textOf } from './document.ts';
import { faultsAt, useForm } from './form/context.ts';
import { Faults, Frame, inputIdOf } from './form/Frame.tsx';
import { Members } from './form/Members.tsx';
import { Picker } from './form/Picker.tsx';
import { type FieldProps, SchemaField } from './form/SchemaField.tsx';
import { Points } from './Points.tsx';
import type { DeviceState } from './resources.ts';
import type { Schema } from './schema.ts';

interface Props {
  index: number;
  device: Item;
  points: readonly PointNow[] | undefined;
  state: DeviceState | undefined;
}

/** What a device needs: which one it is behind its connection, its type, its points. */
export function DeviceForm({ index, device, points, state }: Props) {
  const { document, drivers, schema, profiles } = useEditor();
  const { faults } = useForm();
  const path = ['devices', index];
  const connection = listOf(document.connections)
    .map(itemOf)
    .find(({ id }) => id !== undefined && id === device.connection);
  const driver = driverOf(drivers, connection?.kind);
  const own = {
    connection: (props: FieldProps) => (
      <Reference
        {...props}
        options={listOf(document.connections).map((one) => ({ value: idOf(one), label: textOf(itemOf(one).title) || idOf(one) }))}
      />
    ),
    profile: (props: FieldProps) => (
      <Reference
        {...props}
        options={profiles
          .filter(({ kind }) => !driver || kind === undefined || kind === driver.kind)
          .map(({ id, title, manufacturer }) => ({
            value: id,
            label: title,
            ...(manufacturer === undefined ? {} : { description: manufacturer }),
          }))}
      />
    ),
    address: (props: FieldProps) => <SchemaField {...props} isOpen />,
  };
  return (
    <>
      {state?.error !== undefined && state.state !== 'online' && <Alert severity="warning" title={state.error} />}
      <Faults faults={faultsAt(faults, placeOf(path))} />
      <Members
        schema={deviceSchemaOf(schema, driver?.device, driver?.action)}
        path={path}
        value={device}
        own={own}
        hidden={['points']}
        front={['id', 'title', 'connection', 'profile', 'interval', 'address']}
      />
      <Points path={path} device={device} driver={driver} states={points} profile={profiles.find(({ id }) => id === device.profile)} />
    </>
  );
}

/** The language of devices, with the driver's words for the address. Points have a table of their own. */
export function deviceSchemaOf(settings: Schema, address: Schema | undefined, action: Schema | undefined): Schema {
  const { points: _points, commands, ...members } = settings.properties?.devices?.items?.properties ?? {};
  const item = settings.properties?.devices?.items ?? {};
  return {
    ...item,
    properties: {
      ...members,
      ...(address ? { address: { ...address, description: members.address?.description ?? '' } } : {}),
      ...(commands && action ? { commands: { ...commands, items: action } } : {}),
    },
  };
}

interface ReferenceProps extends FieldProps {
  options: { value: string; label: string; description?: string }[];
}

/** A name of something that is there; another may be typed. */
export function Reference({ schema, path, value, label = '', isRequired = false, options }: ReferenceProps) {
  const { set, faults, readOnly } = useForm();
  const place = placeOf(path);
  const own = faultsAt(faults, place);
  const known = options.filter((one) => one.value !== '');
  const text = textOf(value);
  const all = text === '' || known.some((one) => one.value === text) ? known : [...known, { value: text, label: text }];
  return (
    <Frame place={place} inputId={inputIdOf(place)} label={label} help={schema.description} isRequired={isRequired} faults={own}>
      <Picker
        id={inputIdOf(place)}
        label={label}
        options={all}
        value={text === '' ? null : text}
        allowsOther
        isRequired={isRequired}
        disabled={readOnly}
        invalid={own.length > 0}
        onChange={(next) => set(path, next)}
      />
    </Frame>
  );
}
