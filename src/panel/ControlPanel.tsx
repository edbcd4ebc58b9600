/** The panel: its controls in a grid. */
import type { PanelProps } from '@grafana/data';
import { Alert, useStyles2, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { readOptions } from './options/migration.ts';
import { optionsVersion, type PanelOptions } from './options/options.ts';
import { bindingOf } from './view/binding.ts';
import { ControlCard } from './view/ControlCard.tsx';
import { getStyles, gridStyles, type Styles } from './view/styles.ts';
import { texts } from './view/texts.ts';
import { usePanelWatches, WatchesContext } from './view/use-device.ts';
import { useNow } from './view/use-now.ts';

export function ControlPanel({ options, data, width, fieldConfig, timeZone, replaceVariables }: PanelProps<PanelOptions>) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const nowMs = useNow();
  const { version, controls, columns, showAge, showPerson } = useMemo(() => readOptions(options), [options]);
  const watches = usePanelWatches(data.series);
  const look = useMemo(() => ({ fieldConfig, theme, timeZone, replaceVariables }), [fieldConfig, theme, timeZone, replaceVariables]);
  const own = data.request?.targets.find(({ datasource }) => datasource?.uid)?.datasource?.uid;
  if (controls.length === 0) return <p className={styles.empty}>{texts.empty}</p>;
  return (
    <WatchesContext.Provider value={watches}>
      <div className={gridStyles(theme, columns, width)}>
        {version > optionsVersion && <Alert severity="warning" title={texts.newerOptions} />}
        {controls.map((control) => {
          const binding = bindingOf(control, replaceVariables, own);
          if (typeof binding === 'string') return <Unbound key={control.id} title={control.title} why={binding} styles={styles} />;
          return <ControlCard key={control.id} {...{ control, binding, look, styles, nowMs, showAge, showPerson }} />;
        })}
      </div>
    </WatchesContext.Provider>
  );
}

function Unbound({ title, why, styles }: { title: string; why: string; styles: Styles }) {
  return (
    <section className={styles.card} aria-label={title || texts.unnamed}>
      {title && <h3 className={styles.title}>{title}</h3>}
      <p className={styles.small} data-testid="reason">
        {why}
      </p>
    </section>
  );
}
