import { Icon } from '@grafana/ui';
import { useMemo } from 'react';
import { limits } from '../../contract/limits.ts';
import { Note } from '../Note.tsx';
import { bytesOf } from './document.ts';
import { texts } from './texts.ts';

/** Who can read the settings, and how much of their room is used. */
export function Budget({ document }: { document: unknown }) {
  const bytes = useMemo(() => bytesOf(document), [document]);
  const share = bytes / limits.settingsBytesMax;
  const words = texts.used(kibibytes(bytes), kibibytes(limits.settingsBytesMax));
  return (
    <div style={{ margin: '4px 0 12px' }}>
      <Note>
        <Icon name="eye" size="sm" /> {texts.isPublic}
      </Note>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, alignItems: 'center' }}>
        <meter aria-label={texts.room} min={0} max={1} high={0.8} value={Math.min(share, 1)} style={{ width: 160 }}>
          {words}
        </meter>
        <Note inline color={share > 1 ? 'error' : share > 0.8 ? 'warning' : 'secondary'}>
          {share > 0.8 ? texts.nearlyFull(words) : words}
        </Note>
      </div>
    </div>
  );
}

const kibibytes = (bytes: number): string => texts.kibibytes((bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0));
