import { ConfirmModal, IconButton, Stack, useTheme2 } from '@grafana/ui';
import { type ReactNode, useState } from 'react';
import { LineOpener } from './Opener.tsx';
import type { RowActs } from './rows.ts';
import { texts } from './texts.ts';

interface Props extends RowActs {
  place: string;
  title: string;
  subtitle?: ReactNode;
  /** State, counts: at the end of the line. */
  marks?: ReactNode;
  readOnly: boolean;
  /** What is asked before it is removed; nothing is asked without. */
  removeQuestion?: ReactNode;
  children: () => ReactNode;
}

/** One element of a list: a line that opens. What is inside is drawn only while it is open. */
export function Row({
  place,
  title,
  subtitle,
  marks,
  isOpen,
  onToggle,
  readOnly,
  onUp,
  onDown,
  onDuplicate,
  onRemove,
  removeQuestion,
  children,
}: Props) {
  const theme = useTheme2();
  const [isAsked, setAsked] = useState(false);
  return (
    <div
      data-place={place}
      style={{
        border: `1px solid ${theme.colors.border?.weak}`,
        borderRadius: theme.shape.radius.default,
        background: theme.colors.background?.secondary,
      }}
    >
      <div style={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: 8, padding: '4px 8px' }}>
        <LineOpener isOpen={isOpen} onToggle={onToggle} style={{ flex: '1 1 240px', minWidth: 0, minHeight: 32, padding: 0 }}>
          <span style={{ fontWeight: 500, overflowWrap: 'anywhere' }}>{title}</span>
          {subtitle !== undefined && (
            <span style={{ color: theme.colors.text?.secondary, fontSize: theme.typography.bodySmall.fontSize, overflowWrap: 'anywhere' }}>
              {subtitle}
            </span>
          )}
        </LineOpener>
        <Stack direction="row" alignItems="center" wrap="wrap" gap={1}>
          {marks}
          {!readOnly && (
            <Stack direction="row" gap={0.5}>
              <IconButton name="arrow-up" tooltip={`${texts.up}: ${title}`} disabled={!onUp} onClick={onUp} />
              <IconButton name="arrow-down" tooltip={`${texts.down}: ${title}`} disabled={!onDown} onClick={onDown} />
              <IconButton name="copy" tooltip={`${texts.duplicate}: ${title}`} onClick={onDuplicate} />
              <IconButton
                name="trash-alt"
                tooltip={`${texts.remove}: ${title}`}
                onClick={() => (removeQuestion === undefined ? onRemove() : setAsked(true))}
              />
            </Stack>
          )}
        </Stack>
      </div>
      {isOpen && (
        <div
          style={{
            padding: '8px 12px 12px',
            borderTop: `1px solid ${theme.colors.border?.weak}`,
            background: theme.colors.background?.primary,
          }}
        >
          {children()}
        </div>
      )}
      {isAsked && (
        <ConfirmModal
          isOpen
          title={`${texts.remove} ${title}`}
          body={removeQuestion}
          confirmText={texts.remove}
          onConfirm={() => {
            setAsked(false);
            onRemove();
          }}
          onDismiss={() => setAsked(false)}
        />
      )}
    </div>
  );
}
