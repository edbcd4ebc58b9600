import { Text } from '@grafana/ui';
import type { ReactNode } from 'react';

/** Text that steps back. 13.2.2's types forget the theme's own text colours, which every version has. */
export function Muted({ children, isSmall = false }: { children: NonNullable<ReactNode>; isSmall?: boolean }) {
  return (
    <Text color={'secondary' as 'info'} variant={isSmall ? 'bodySmall' : 'body'}>
      {children}
    </Text>
  );
}
