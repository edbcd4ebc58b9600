import { useTheme2 } from '@grafana/ui';
import type { ReactNode } from 'react';

interface Props {
  /** On the same line as what stands before. */
  inline?: boolean;
  large?: boolean;
  color?: 'secondary' | 'warning' | 'error' | 'primary';
  children: ReactNode;
}

/** A small, quiet text beside what matters. */
export function Note({ inline = false, large = false, color = 'secondary', children }: Props) {
  const theme = useTheme2();
  const style = {
    margin: 0,
    overflowWrap: 'anywhere',
    color: color === 'error' || color === 'warning' ? theme.colors[color]?.text : theme.colors.text?.[color],
    ...(large ? {} : { fontSize: theme.typography.bodySmall.fontSize, lineHeight: theme.typography.bodySmall.lineHeight }),
  } as const;
  return inline ? <span style={style}>{children}</span> : <p style={style}>{children}</p>;
}
