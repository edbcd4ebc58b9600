import { Alert, Button, Stack, Text } from '@grafana/ui';
import { useState } from 'react';
import { counted } from '../counted.ts';
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
  const summary = `${counted(runs.connections, 'connection')}, ${counted(runs.devices, 'device')} and ${counted(runs.points, 'point')} ${errors > 0 ? 'would run all the same' : 'will run'}`;
  return (
    <div aria-live="polite" aria-busy={isChecking}>
      {faults.length === 0 ? (
        <Note>{`Nothing is wrong with the settings: ${summary}.`}</Note>
      ) : (
        <Alert
          severity={errors > 0 ? 'error' : 'warning'}
          title={`${errors > 0 ? counted(errors, 'error') : ''}${errors > 0 && faults.length > errors ? ' and ' : ''}${faults.length > errors ? counted(faults.length - errors, 'warning') : ''}; ${summary}`}
        >
          <Stack direction="column" gap={0}>
            {faults.slice(0, isWhole ? undefined : listedMax).map(({ place, message, severity }) => (
              <div key={`${place} ${message}`} style={{ overflowWrap: 'anywhere' }}>
                <Button
                  variant="secondary"
                  fill="text"
                  size="sm"
                  onClick={() => onJump(place)}
                  aria-label={`Go to ${place || 'the settings'}`}
                >
                  {place || 'the settings'}
                </Button>
                <Text variant="bodySmall">{`${severity === 'warning' ? '(warning) ' : ''}${message}`}</Text>
              </div>
            ))}
            {faults.length > listedMax && !isWhole && (
              <Button variant="secondary" fill="text" size="sm" onClick={() => setWhole(true)}>
                {`All ${faults.length}`}
              </Button>
            )}
          </Stack>
        </Alert>
      )}
    </div>
  );
}
