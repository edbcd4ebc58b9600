import { Grid } from '@grafana/ui';
import { useState } from 'react';
import { isWithin, itemOf, placeOf } from '../document.ts';
import { TextOpener } from '../Opener.tsx';
import { nameOf, shapeOf, split, tagOf } from '../schema.ts';
import { texts } from '../texts.ts';
import { faultsWithin, useForm, useTarget } from './context.ts';
import { type FieldProps, SchemaField } from './SchemaField.tsx';

/** The members of an object: what has to be said in front, the rest behind "More settings". */
export function Members({ schema, path, value, front, hidden = [], own }: FieldProps) {
  const { faults } = useForm();
  const parts = split(schema, front);
  const given = itemOf(value);
  const hides = (place: string) => parts.more.some((name) => isWithin(place, placeOf([...path, name])));
  const [isOpen, setOpen] = useState(false);
  useTarget((wanted) => {
    if (hides(wanted)) setOpen(true);
  });
  const isFaulty = parts.more.some((name) => faultsWithin(faults, placeOf([...path, name])).some(({ severity }) => severity === 'error'));
  const isShown = isOpen || isFaulty;
  const unknown = Object.keys(given).filter((name) => schema.properties && !(name in schema.properties) && !hidden.includes(name));
  const tag = tagOf(schema)?.[0];

  const fieldOf = (name: string) => {
    const member = schema.properties?.[name] ?? {};
    const props: FieldProps = {
      schema: member,
      path: [...path, name],
      value: given[name],
      label: member.title ?? nameOf(name),
      isRequired: schema.required?.includes(name) ?? false,
    };
    const Own = own?.[name];
    const isWide = ['group', 'variants', 'list', 'map', 'json'].includes(shapeOf(member));
    return (
      <div key={name} style={isWide ? { gridColumn: '1 / -1', minWidth: 0 } : { minWidth: 0 }}>
        {Own ? Own(props) : <SchemaField {...props} />}
      </div>
    );
  };

  return (
    <>
      {parts.front.length > 0 && (
        <Grid minColumnWidth={34} gap={2} alignItems="start">
          {parts.front.map(fieldOf)}
        </Grid>
      )}
      {unknown
        .filter((name) => name !== tag)
        .map((name) => (
          <SchemaField key={name} schema={{}} path={[...path, name]} value={given[name]} />
        ))}
      {parts.more.length > 0 && (
        <div style={{ marginTop: 8 }}>
          <TextOpener isOpen={isShown} onToggle={() => setOpen(!isOpen)} disabled={isFaulty}>
            {isShown ? texts.fewer : texts.more(parts.more.length, parts.more.filter((name) => given[name] !== undefined).length)}
          </TextOpener>
          {isShown && (
            <div style={{ marginTop: 8 }}>
              <Grid minColumnWidth={34} gap={2} alignItems="start">
                {parts.more.map(fieldOf)}
              </Grid>
            </div>
          )}
        </div>
      )}
    </>
  );
}
