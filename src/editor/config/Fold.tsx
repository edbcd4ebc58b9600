import { Icon, useTheme2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import { Note } from './Note.tsx';

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
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={onToggle}
        style={{
          display: 'flex',
          flexWrap: 'wrap',
          alignItems: 'center',
          gap: 8,
          width: '100%',
          minHeight: 36,
          padding: '4px 0',
          border: 0,
          background: 'none',
          color: theme.colors.text?.primary,
          textAlign: 'left',
        }}
      >
        <Icon name={isOpen ? 'angle-down' : 'angle-right'} />
        <span style={{ fontWeight: 500 }}>{title}</span>
        {help !== undefined && <Note inline>{help}</Note>}
        {mark}
      </button>
      {isOpen && <div style={{ padding: '4px 0 16px 24px' }}>{children}</div>}
    </div>
  );
}
