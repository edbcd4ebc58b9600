import type { Clock } from '../../contract/clock.ts';
import { columnKinds, seriesName } from '../../contract/sample.ts';
import { arrowStream } from '../../frame/arrow-stream.ts';
import type { SeriesInfo, Store } from '../../store/store.ts';
import { pagesOf } from '../export/pages.ts';
import { csv, ndjson, type Writer } from '../export/text.ts';
import { selects } from '../query-parse.ts';
import { labelsOf, nameSeries } from '../query-series.ts';
import type { Handler } from './ask.ts';
import type { LongAnswers } from './long-answers.ts';
import { readChoice, readRange, readSelection } from './selection.ts';

interface Format {
  type: string;
  writer(series: readonly SeriesInfo[]): Writer;
}

const formats: Record<'csv' | 'ndjson' | 'arrow', Format> = {
  csv: { type: 'text/csv; charset=utf-8; header=present', writer: () => csv },
  ndjson: { type: 'application/x-ndjson', writer: () => ndjson },
  arrow: {
    type: 'application/vnd.apache.arrow.stream',
    writer: (series) => arrowStream(columnKinds.filter((kind) => series.some((one) => one.kind === kind))),
  },
};

/**
 * `GET export?from=now-1d&to=now&device=…&point=…&label=…&quality=usable&format=csv`: the samples as they are kept, in order of device, point and
 * time. However much it is, it is read page by page, as fast as the reader takes it.
 */
export function exportHandler({ store, clock, longAnswers }: { store: Store; clock: Clock; longAnswers: LongAnswers }): Handler {
  return async ({ instance, query, signal }) => {
    const name = readChoice(query, 'format', ['csv', 'ndjson', 'arrow']);
    const quality = readChoice(query, 'quality', ['usable', 'good', 'all']);
    const selection = readSelection(query);
    const range = readRange(query, clock.nowMs());
    const catalogue = await store.series(instance.key);
    const chosen = catalogue.filter((key) => selects(selection, key, labelsOf(key, instance.gateway)));
    const keys = new Map(nameSeries(chosen, instance.gateway).map(({ key }) => [seriesName(key), key]));
    const series = Map.groupBy(chosen, seriesName);
    const past = { store, gateway: instance.key, quality, signal };
    const writer = formats[name].writer(chosen);
    return {
      type: formats[name].type,
      headers: { 'content-disposition': `attachment; filename="fieldgate-${instance.uid.replaceAll(/[^A-Za-z0-9_-]/g, '_')}.${name}"` },
      async *stream() {
        const leave = longAnswers.enter('export');
        try {
          yield writer.head();
          for (const [point, key] of keys) {
            for await (const page of pagesOf(past, key, series.get(point) ?? [], range)) {
              // By kind, whichever of them began first here: the same history is the same file everywhere.
              page.sort((one, other) => columnKinds.indexOf(one.columns.kind) - columnKinds.indexOf(other.columns.kind));
              for (const { columns } of page) if (columns.times.length > 0) yield writer.rows(key, columns);
            }
          }
          yield writer.end();
        } finally {
          leave();
        }
      },
    };
  };
}
