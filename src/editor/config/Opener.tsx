import { Button, Icon, useTheme2 } from '@grafana/ui';
import type { CSSProperties, ReactNode } from 'react';

interface Props {
  isOpen: boolean;
  onToggle(): void;
  children: ReactNode;
}

/** A line that opens what stands below it. */
export function LineOpener({ isOpen, onToggle, style, children }: Props & { style: CSSProperties }) {
  const theme = useTheme2();
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      onClick={onToggle}
      style={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        gap: 8,
        border: 0,
        background: 'none',
        color: theme.colors.text?.primary,
        textAlign: 'left',
        ...style,
      }}
    >
      <Icon name={isOpen ? 'angle-down' : 'angle-right'} />
      {children}
    </button>
  );
}

/** A few words that open what stands below them. */
export function TextOpener({ isOpen, onToggle, disabled = false, children }: Props & { disabled?: boolean }) {
  return (
    <Button
      variant="secondary"
      fill="text"
      size="sm"
      icon={isOpen ? 'angle-down' : 'angle-right'}
      aria-expanded={isOpen}
      disabled={disabled}
      onClick={onToggle}
    >
      {children}
    </Button>
  );
}
