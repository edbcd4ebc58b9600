import { Button, FilterInput, Grid, Modal, Stack, Text, useTheme2 } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../Note.tsx';
import { useEditor } from './context.ts';
import { idOf, itemOf, listOf, textOf } from './document.ts';
import { Picker } from './form/Picker.tsx';
import type { Profile } from './resources.ts';
import { texts } from './texts.ts';

interface Props {
  connection: string;
  onClose(): void;
  onPick(device: Record<string, unknown>): void;
}

/** Device types with their pictures: one is chosen, and a device of it is added behind a connection of its protocol. */
export function ProfilePicker({ connection: first, onClose, onPick }: Props) {
  const { document, profiles, resources } = useEditor();
  const theme = useTheme2();
  const connections = listOf(document.connections).map(itemOf);
  const [connection, setConnection] = useState(first);
  const [search, setSearch] = useState('');
  const kind = connections.find(({ id }) => id === connection)?.kind;
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (profile: Profile) => {
    const text = [profile.id, profile.title, profile.manufacturer, ...(profile.models ?? [])].join(' ').toLowerCase();
    return (profile.kind === undefined || profile.kind === kind) && words.every((word) => text.includes(word));
  };
  const shown = profiles.filter(fits);
  return (
    <Modal title={texts.fromProfile} isOpen onDismiss={onClose}>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, marginBottom: 12 }}>
        <div style={{ flex: '1 1 180px' }}>
          <Picker
            id="fieldgate-profile-connection"
            isRequired
            label={texts.behind}
            options={connections.map((one) => ({ value: idOf(one), label: textOf(one.title) || idOf(one) }))}
            value={connection}
            onChange={(next) => setConnection(next ?? '')}
          />
        </div>
        <div style={{ flex: '1 1 180px' }}>
          <FilterInput
            escapeRegex={false}
            aria-label={texts.searchProfiles}
            placeholder={texts.searchProfilesBy}
            value={search}
            onChange={setSearch}
          />
        </div>
      </div>
      {shown.length === 0 && <Text element="p">{texts.noProfile(kind === undefined ? undefined : String(kind))}</Text>}
      <Grid minColumnWidth={21} gap={2}>
        {shown.map((profile) => (
          <article
            key={profile.id}
            aria-label={profile.title}
            style={{ border: `1px solid ${theme.colors.border?.weak}`, borderRadius: theme.shape.radius.default, padding: 12 }}
          >
            <Stack direction="column" gap={1}>
              {profile.image !== undefined && (
                <img
                  src={resources.imageUrl(profile.image)}
                  alt=""
                  height={96}
                  style={{ height: 96, objectFit: 'contain', alignSelf: 'center', maxWidth: '100%' }}
                />
              )}
              <Text element="h5">{profile.title}</Text>
              <Note>{[profile.manufacturer, profile.models?.join(', ')].filter(Boolean).join(': ')}</Note>
              <Text element="p" variant="bodySmall">
                {texts.contents(profile.points.length, profile.commands.length)}
              </Text>
              {profile.notes !== undefined && <Note>{profile.notes}</Note>}
              <Button
                size="sm"
                aria-label={`${texts.add} ${profile.title}`}
                onClick={() => onPick({ id: profile.id.split('-').at(-1) ?? profile.id, connection, profile: profile.id })}
              >
                {texts.add}
              </Button>
            </Stack>
          </article>
        ))}
      </Grid>
    </Modal>
  );
}
