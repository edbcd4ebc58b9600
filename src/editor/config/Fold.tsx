import { useTheme2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import { Note } from '../Note.tsx';
import { LineOpener } from './Opener.tsx';

interface Props {
  place: string;
  title: string;
  help?: string | undefined;
  mark?: ReactNode;
  isOpen: boolean;
  onToggle(): void;
  children: ReactNode;
}

/** A part that opens; what is inside is drawn only while it is open. */
export function Fold({ place, title, help, mark, isOpen, onToggle, children }: Props) {
  const theme = useTheme2();
  return (
    <div data-place={place} style={{ borderTop: `1px solid ${theme.colors.border?.weak}` }}>
      <LineOpener isOpen={isOpen} onToggle={onToggle} style={{ width: '100%', minHeight: 36, padding: '4px 0' }}>
        <span style={{ fontWeight: 500 }}>{title}</span>
        {help !== undefined && <Note inline>{help}</Note>}
        {mark}
      </LineOpener>
      {isOpen && <div style={{ padding: '4px 0 16px 24px' }}>{children}</div>}
    </div>
  );
}
