import { InternalTimeZones } from '@grafana/data';
import { Text, TimeZonePicker } from '@grafana/ui';
import { useState } from 'react';
import { useEditor } from './context.ts';
import { isWithin, textOf } from './document.ts';
import { Fold } from './Fold.tsx';
import { faultsAt, faultsWithin, useForm, useTarget } from './form/context.ts';
import { Frame, inputIdOf } from './form/Frame.tsx';
import { Members } from './form/Members.tsx';
import { Picker } from './form/Picker.tsx';
import { type FieldProps, SchemaField } from './form/SchemaField.tsx';
import { FaultMark } from './Marks.tsx';
import { nameOf, type Schema } from './schema.ts';
import { texts } from './texts.ts';

/** Everything of the settings beside connections and devices, as the schema has it: history, rights, health, time zone, files, own profiles. */
export function Sections() {
  const { document, schema } = useEditor();
  const { faults } = useForm();
  const names = Object.keys(schema.properties ?? {}).filter((name) => !['version', 'connections', 'devices', 'timezone'].includes(name));
  const unknown = Object.keys(document).filter((name) => schema.properties && !(name in schema.properties));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  useTarget((wanted) => {
    const found = [...names, ...unknown].find((name) => isWithin(wanted, name));
    if (found !== undefined) setOpen((before) => new Set([...before, found]));
  });
  const toggle = (name: string) => {
    const next = new Set(open);
    if (!next.delete(name)) next.add(name);
    setOpen(next);
  };
  const zone = schema.properties?.timezone;
  return (
    <section aria-label={texts.otherSettings}>
      <Text element="h3">{texts.otherSettings}</Text>
      {zone && (
        <div style={{ maxWidth: 400, margin: '8px 0' }}>
          <ZoneField schema={zone} path={['timezone']} value={document.timezone} label={texts.timeZone} />
        </div>
      )}
      {[...names, ...unknown].map((name) => (
        <Fold
          key={name}
          place={name}
          title={nameOf(name)}
          help={schema.properties?.[name]?.description}
          mark={<FaultMark place={name} />}
          isOpen={open.has(name) || faultsWithin(faults, name).some(({ severity }) => severity === 'error')}
          onToggle={() => toggle(name)}
        >
          <Section schema={withoutLists(schema.properties?.[name] ?? {}, name)} path={[name]} value={document[name]} />
        </Fold>
      ))}
    </section>
  );
}

function Section(props: FieldProps) {
  if (props.schema.properties) return <Members {...props} />;
  return <SchemaField {...props} label="" isOpen schema={{ ...props.schema, description: '' }} />;
}

/** Points and commands of own profiles depend on a protocol that is chosen beside them: as JSON. */
function withoutLists(schema: Schema, name: string): Schema {
  if (name !== 'profiles' || !schema.items?.properties) return schema;
  const { points, commands, ...rest } = schema.items.properties;
  const asJson = (one: Schema | undefined) => ({ ...(one?.description === undefined ? {} : { description: one.description }) });
  return { ...schema, items: { ...schema.items, properties: { ...rest, points: asJson(points), commands: asJson(commands) } } };
}

function ZoneField({ schema, path, value, label = '' }: FieldProps) {
  const { set, faults, readOnly } = useForm();
  const own = faultsAt(faults, 'timezone');
  const id = inputIdOf('timezone');
  return (
    <Frame place="timezone" inputId={id} label={label} help={schema.description} faults={own}>
      {readOnly ? (
        <Picker
          id={id}
          label={label}
          isRequired
          options={[{ value: textOf(value) || 'UTC' }]}
          value={textOf(value) || 'UTC'}
          disabled
          onChange={() => {}}
        />
      ) : (
        <TimeZonePicker
          inputId={id}
          value={/^(utc)?$/i.test(textOf(value)) ? 'utc' : textOf(value)}
          includeInternal={[InternalTimeZones.utc]}
          onChange={(zone) => set(path, zone === undefined || zone === '' ? undefined : zone === 'utc' ? 'UTC' : zone)}
        />
      )}
    </Frame>
  );
}
