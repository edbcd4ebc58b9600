import type { StandardEditorProps } from '@grafana/data';
import { Button, IconButton, Stack } from '@grafana/ui';
import { useState } from 'react';
import { limitsPanel } from '../../contract/limits-panel.ts';
import { ControlEditor } from './ControlEditor.tsx';
import { readOptions } from './migration.ts';
import { type ControlOptions, controlDefaults } from './options.ts';
import { texts } from './texts.ts';

/** The list of controls: one is open, the others are their names. */
export function ControlsEditor({ value, onChange }: StandardEditorProps<ControlOptions[]>) {
  const { controls } = readOptions({ controls: value ?? [] });
  const [open, setOpen] = useState(() => (controls.length === 1 ? controls[0]?.id : undefined));

  function add(from: Omit<ControlOptions, 'id'>): void {
    const id = newId(controls);
    onChange([...controls, { ...from, id }]);
    setOpen(id);
  }

  function move(place: number, by: 1 | -1): void {
    const moved = [...controls];
    const [control] = moved.splice(place, 1);
    if (control) moved.splice(place + by, 0, control);
    onChange(moved);
  }

  return (
    <Stack direction="column" gap={1}>
      {controls.map((control, place) => {
        const name = control.title || [control.device, control.name].filter((part) => part !== '').join('.') || texts.unnamed(place + 1);
        return (
          <section key={control.id} aria-label={name}>
            <Stack alignItems="center" justifyContent="space-between">
              <Button
                size="sm"
                fill="text"
                variant="secondary"
                icon={open === control.id ? 'angle-down' : 'angle-right'}
                aria-expanded={open === control.id}
                onClick={() => setOpen(open === control.id ? undefined : control.id)}
              >
                {name}
              </Button>
              <Stack gap={0.5}>
                <IconButton name="arrow-up" aria-label={texts.moveUp(name)} disabled={place === 0} onClick={() => move(place, -1)} />
                <IconButton
                  name="arrow-down"
                  aria-label={texts.moveDown(name)}
                  disabled={place === controls.length - 1}
                  onClick={() => move(place, 1)}
                />
                <IconButton name="copy" aria-label={texts.copy(name)} onClick={() => add(control)} />
                <IconButton
                  name="trash-alt"
                  aria-label={texts.remove(name)}
                  onClick={() => onChange(controls.filter(({ id }) => id !== control.id))}
                />
              </Stack>
            </Stack>
            {open === control.id && (
              <ControlEditor
                control={control}
                onChange={(changed) => onChange(controls.map((one) => (one.id === changed.id ? changed : one)))}
              />
            )}
          </section>
        );
      })}
      <Button
        icon="plus"
        variant="secondary"
        size="sm"
        disabled={controls.length >= limitsPanel.controlsMax}
        onClick={() => {
          // A next control is most likely one of the same device.
          const { source = '', device = '' } = controls.at(-1) ?? {};
          add({ ...controlDefaults, source, device });
        }}
      >
        {texts.add}
      </Button>
    </Stack>
  );
}

function newId(controls: readonly ControlOptions[]): string {
  return String(Math.max(0, ...controls.map(({ id }) => (/^\d{1,9}$/.test(id) ? Number(id) : 0))) + 1);
}
