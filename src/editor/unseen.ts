import type { CSSProperties } from 'react';

/** For screen readers only: to the eye it is plain what it says. */
export const unseen: CSSProperties = {
  position: 'absolute',
  width: 1,
  height: 1,
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
};
