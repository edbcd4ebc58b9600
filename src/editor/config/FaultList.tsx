import { Alert, Button, Stack, Text } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../Note.tsx';
import type { Checked } from './check.ts';
import { texts } from './texts.ts';

/** Faults listed at once; each is a button, and nobody reads hundreds. */
const listedMax = 20;

/** All that is wrong with the settings, each a way to its field. */
export function FaultList({ checked, onJump }: { checked: Checked; onJump(place: string): void }) {
  const [isWhole, setWhole] = useState(false);
  const { check, error, isChecking } = checked;
  if (error !== undefined)
    return (
      <Alert severity="warning" title={texts.notChecked}>
        {error}
      </Alert>
    );
  if (!check) return null;
  const { faults, runs } = check;
  if (faults.length === 0 && runs.connections === 0) return null;
  const errors = faults.filter(({ severity }) => severity === 'error').length;
  const summary = texts.runs(runs, errors > 0);
  return (
    <div aria-live="polite" aria-busy={isChecking}>
      {faults.length === 0 ? (
        <Note>{texts.nothingWrong(summary)}</Note>
      ) : (
        <Alert severity={errors > 0 ? 'error' : 'warning'} title={texts.wrong(errors, faults.length - errors, summary)}>
          <Stack direction="column" gap={0}>
            {faults.slice(0, isWhole ? undefined : listedMax).map(({ place, message, severity }) => (
              <div key={`${place} ${message}`} style={{ overflowWrap: 'anywhere' }}>
                <Button
                  variant="secondary"
                  fill="text"
                  size="sm"
                  onClick={() => onJump(place)}
                  aria-label={texts.goTo(place || texts.theSettings)}
                >
                  {place || texts.theSettings}
                </Button>
                <Text variant="bodySmall">{`${severity === 'warning' ? texts.warning : ''}${message}`}</Text>
              </div>
            ))}
            {faults.length > listedMax && !isWhole && (
              <Button variant="secondary" fill="text" size="sm" onClick={() => setWhole(true)}>
                {texts.all(faults.length)}
              </Button>
            )}
          </Stack>
        </Alert>
      )}
    </div>
  );
}
