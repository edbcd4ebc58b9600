/** Looks of the panel: those of Grafana's own form elements, large enough for a finger. */
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

type Whole<T> = { [Name in keyof T]-?: NonNullable<T[Name]> };

/** What a finger hits (WCAG 2.5.5). */
const targetPx = 44;
const narrowPx = 400;
const controlMinPx = 220;

export function gridStyles(theme: GrafanaTheme2, columns: number, widthPx: number) {
  const gap = theme.spacing(1);
  const tracks =
    widthPx < narrowPx
      ? 'minmax(0, 1fr)'
      : columns > 0
        ? `repeat(${columns}, minmax(0, 1fr))`
        : `repeat(auto-fit, minmax(min(100%, ${controlMinPx}px), 1fr))`;
  return css({ display: 'grid', gridTemplateColumns: tracks, gap, height: '100%', overflow: 'auto', alignContent: 'start' });
}

export function getStyles(theme: GrafanaTheme2) {
  // The types leave out that every theme has them.
  const { background, border, text } = theme.colors as Whole<typeof theme.colors>;
  const { input } = theme.components as Whole<typeof theme.components>;
  const focus = {
    outline: `2px dotted transparent`,
    outlineOffset: 2,
    boxShadow: `0 0 0 2px ${background.primary}, 0 0 0 4px ${theme.colors.primary.main}`,
  };
  const surface = {
    minHeight: targetPx,
    minWidth: targetPx,
    border: `1px solid ${input.borderColor}`,
    borderRadius: theme.shape.radius.default,
    background: input.background,
    color: text.primary,
    fontSize: theme.typography.body.fontSize,
    padding: theme.spacing(0, 1.5),
    '&:focus-visible': focus,
  };
  return {
    empty: css({ padding: theme.spacing(2), color: text.secondary }),
    card: css({
      display: 'flex',
      flexDirection: 'column',
      gap: theme.spacing(1),
      minWidth: 0,
      margin: 0,
      padding: theme.spacing(1.5),
      border: `1px solid ${border.weak}`,
      borderRadius: theme.shape.radius.default,
      background: background.primary,
    }),
    head: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'baseline', justifyContent: 'space-between', gap: theme.spacing(0, 1) }),
    title: css({ ...theme.typography.h6, margin: 0, overflowWrap: 'anywhere' }),
    reading: css({ ...theme.typography.h4, margin: 0, fontVariantNumeric: 'tabular-nums', overflowWrap: 'anywhere' }),
    age: css({ ...theme.typography.bodySmall, color: text.secondary, fontVariantNumeric: 'tabular-nums' }),
    row: css({ display: 'flex', gap: theme.spacing(1), alignItems: 'center', flexWrap: 'wrap' }),
    small: css({ ...theme.typography.bodySmall, margin: 0, color: text.secondary, overflowWrap: 'anywhere' }),
    said: css({ ...theme.typography.bodySmall, margin: 0, overflowWrap: 'anywhere' }),
    tone: {
      plain: css({ color: text.secondary }),
      busy: css({ color: theme.colors.info.text }),
      good: css({ color: theme.colors.success.text }),
      warning: css({ color: theme.colors.warning.text }),
      bad: css({ color: theme.colors.error.text }),
    },
    push: css({
      ...theme.typography.body,
      display: 'inline-flex',
      alignItems: 'center',
      justifyContent: 'center',
      minHeight: targetPx,
      minWidth: targetPx,
      padding: theme.spacing(0.5, 2),
      flex: '0 1 auto',
      border: '1px solid transparent',
      borderRadius: theme.shape.radius.default,
      fontWeight: theme.typography.fontWeightMedium,
      overflowWrap: 'anywhere',
      cursor: 'pointer',
      '&:focus-visible': focus,
      '&[aria-disabled="true"]': { opacity: 0.5, cursor: 'not-allowed' },
    }),
    wide: css({ flex: '1 1 100%' }),
    colour: {
      primary: colour(theme.colors.primary),
      secondary: css({
        background: theme.colors.secondary.main,
        color: theme.colors.secondary.contrastText,
        borderColor: input.borderColor,
      }),
      success: colour(theme.colors.success),
      destructive: colour(theme.colors.error),
    },
    /** Grafana's own buttons, in dialogs. */
    button: css({ minHeight: targetPx, minWidth: targetPx, height: 'auto' }),
    press: css({ touchAction: 'none', userSelect: 'none', WebkitUserSelect: 'none', WebkitTouchCallout: 'none' }),
    field: css({
      colorScheme: theme.colors.mode,
      ...surface,
      flex: '1 1 0',
      minWidth: 80,
      width: '100%',
      '&:disabled': { opacity: 0.6, cursor: 'not-allowed' },
    }),
    choices: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(0.5) }),
    choice: css({
      ...surface,
      flex: '1 1 auto',
      cursor: 'pointer',
      '&[aria-pressed="true"]': {
        background: theme.colors.primary.main,
        color: theme.colors.primary.contrastText,
        borderColor: theme.colors.primary.main,
        fontWeight: theme.typography.fontWeightMedium,
      },
      '&[aria-disabled="true"]': { opacity: 0.6, cursor: 'not-allowed' },
    }),
    toggle: css({
      position: 'relative',
      width: 76,
      height: targetPx,
      flex: 'none',
      padding: 0,
      border: `1px solid ${input.borderColor}`,
      borderRadius: targetPx / 2,
      background: theme.colors.secondary.main,
      cursor: 'pointer',
      '&::after': {
        content: '""',
        position: 'absolute',
        top: 5,
        left: 5,
        width: targetPx - 12,
        height: targetPx - 12,
        borderRadius: '50%',
        background: text.primary,
        [theme.transitions.handleMotion('no-preference')]: { transition: 'transform 0.15s' },
      },
      '&[aria-checked="true"]': {
        background: theme.colors.primary.main,
        '&::after': { transform: 'translateX(32px)', background: theme.colors.primary.contrastText },
      },
      '&[aria-disabled="true"]': { opacity: 0.6, cursor: 'not-allowed' },
      '&:focus-visible': focus,
    }),
    toggleText: css({ ...theme.typography.body, minWidth: 0, overflowWrap: 'anywhere' }),
    slider: css({ position: 'relative', flex: '1 1 100%', minWidth: 0 }),
    range: css({
      colorScheme: theme.colors.mode,
      width: '100%',
      height: targetPx,
      margin: 0,
      accentColor: theme.colors.primary.main,
      cursor: 'pointer',
      '&:focus-visible': focus,
      '&:disabled': { cursor: 'not-allowed' },
    }),
    scale: css({ display: 'flex', justifyContent: 'space-between', ...theme.typography.bodySmall, color: text.secondary }),
  };
}

function colour({ main, shade, contrastText }: GrafanaTheme2['colors']['primary']): string {
  return css({ background: main, color: contrastText, '&:hover:not([aria-disabled="true"])': { background: shade } });
}

export type Styles = ReturnType<typeof getStyles>;
