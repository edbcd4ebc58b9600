import { Stack } from '@grafana/ui';
import type { FieldgateQuery } from '../types.ts';
import { Conditions } from './Conditions.tsx';
import { Labelled } from './Fields.tsx';
import { interpolate } from './interpolate.ts';
import { LastValues } from './LastValues.tsx';
import { NameField } from './NamePicker.tsx';
import type { Ask } from './names.ts';
import { texts } from './texts.ts';

interface Props {
  ask: Ask;
  query: FieldgateQuery;
  onChange(changes: Partial<FieldgateQuery>): void;
  isAlerting: boolean;
}

/** Which devices, points and labels; and what they say now. */
export function Selection({ ask, query, onChange, isAlerting }: Props) {
  const { refId, queryType, devices = [], points } = query;
  const hasPoints = queryType !== 'status';
  const meant = interpolate(query, {});
  const among = { devices: meant.devices, labels: meant.labels, where: meant.where };
  return (
    <Stack direction="column" gap={1}>
      <Stack gap={2} wrap="wrap" alignItems="flex-start">
        <NameField
          ask={ask}
          what="devices"
          id={`${refId}-devices`}
          label={texts.devices}
          placeholder={texts.devicesHint}
          value={devices}
          onChange={(chosen) => onChange({ devices: chosen })}
        />
        {hasPoints && (
          <NameField
            ask={ask}
            what="points"
            id={`${refId}-points`}
            label={texts.points}
            placeholder={texts.all}
            among={among}
            value={points ?? []}
            onChange={(chosen) => onChange({ points: chosen.length > 0 ? chosen : undefined })}
          />
        )}
        <Labelled id={`${refId}-labels`} label={texts.labels}>
          <Conditions ask={ask} query={query} onChange={onChange} />
        </Labelled>
      </Stack>
      {devices.length > 0 && <LastValues ask={ask} isAlerting={isAlerting} chosen={{ ...among, points: meant.points }} />}
    </Stack>
  );
}
