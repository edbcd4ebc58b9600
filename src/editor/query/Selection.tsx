import { Stack } from '@grafana/ui';
import type { FieldgateQuery } from '../types.ts';
import { Conditions } from './Conditions.tsx';
import { Labelled } from './Fields.tsx';
import { expand, expandLabels, interpolate } from './interpolate.ts';
import { LastValues } from './LastValues.tsx';
import { NamePicker } from './NamePicker.tsx';
import type { Ask } from './names.ts';

interface Props {
  ask: Ask;
  query: FieldgateQuery;
  onChange(changes: Partial<FieldgateQuery>): void;
  isAlerting: boolean;
}

/** Which devices, points and labels; and what they say now. */
export function Selection({ ask, query, onChange, isAlerting }: Props) {
  const { refId, queryType, devices = [], points } = query;
  const list = (selectors: readonly string[]) => selectors.flatMap((one) => expand(one, {}));
  const hasPoints = queryType !== 'status';
  const meant = { devices: list(devices), labels: expandLabels(query.labels ?? {}, {}), where: interpolate(query, {}).where };
  return (
    <Stack direction="column" gap={1}>
      <Stack gap={2} wrap="wrap" alignItems="flex-start">
        <Labelled id={`${refId}-devices`} label="Devices">
          <NamePicker
            ask={ask}
            what="devices"
            id={`${refId}-devices`}
            label="Devices"
            placeholder="Name, room-*, /^room/"
            value={devices}
            onChange={(chosen) => onChange({ devices: chosen })}
          />
        </Labelled>
        {hasPoints && (
          <Labelled id={`${refId}-points`} label="Points">
            <NamePicker
              ask={ask}
              what="points"
              id={`${refId}-points`}
              label="Points"
              placeholder="All"
              among={meant}
              value={points ?? []}
              onChange={(chosen) => onChange({ points: chosen.length > 0 ? chosen : undefined })}
            />
          </Labelled>
        )}
        <Labelled id={`${refId}-labels`} label="Labels">
          <Conditions ask={ask} query={query} onChange={onChange} />
        </Labelled>
      </Stack>
      {devices.length > 0 && (
        <LastValues ask={ask} isAlerting={isAlerting} chosen={{ ...meant, ...(points && { points: list(points) }) }} />
      )}
    </Stack>
  );
}
