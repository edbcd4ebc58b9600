/** `series`: what history there is, a row a series. It is all there is, whatever the time range. */
import { limits } from '../contract/limits.ts';
import { type Frame, withNotices } from '../frame/frame.ts';
import type { SeriesInfo } from '../store/store.ts';
import { identityOf, type Named, selectSeries } from './query-series.ts';
import type { Question } from './question.ts';
import { number, string, time } from './table.ts';

interface Row {
  named: Named;
  info: SeriesInfo;
  samples: number;
  bytes: number;
}

export async function answerSeries({ ask, instance, deps, signal }: Question): Promise<Frame[]> {
  const { key, gateway } = instance;
  const catalogue = await deps.store.series(key);
  const infos = new Map(catalogue.map((info) => [identityOf(info), info]));
  const { series, notices } = selectSeries(catalogue, gateway, ask.selection, limits.seriesListedMax);
  const listed = series.flatMap((named) => {
    const info = infos.get(identityOf({ ...named.key, kind: named.kind }));
    return info ? [{ named, info }] : [];
  });
  const sizes = await deps.store.sizes(
    key,
    listed.map(({ info }) => info),
    signal,
  );
  const rows = listed.map((one, place): Row => ({ ...one, samples: sizes[place]?.samples ?? 0, bytes: sizes[place]?.bytes ?? 0 }));
  const { refused, max } = deps.store.cardinality(key);
  if (refused > 0)
    notices.push({ severity: 'warning', text: `No new series is kept (series_max is ${max}): samples refused so far: ${refused}.` });
  return [
    {
      meta: withNotices({ preferredVisualisationType: 'table' }, notices),
      fields: [
        string('device', rows, ({ info }) => info.device),
        string('point', rows, ({ info }) => info.point),
        string('labels', rows, ({ named }) => labelText(named.labels)),
        string('kind', rows, ({ info }) => info.kind),
        string('unit', rows, ({ named }) => named.point?.unit ?? ''),
        time('first', rows, ({ info }) => info.firstNs),
        time('last', rows, ({ info }) => info.lastNs),
        number('samples', rows, ({ samples }) => samples, { unit: 'short', decimals: 0 }),
        number('bytes', rows, ({ bytes }) => bytes, { unit: 'bytes' }),
      ],
    },
  ];
}

/** What has a column of its own is left out. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const own = new Set(['device', 'point', 'kind']);
  return Object.entries(labels)
    .flatMap(([name, value]) => (own.has(name) ? [] : [`${name}=${value}`]))
    .join(', ');
}
