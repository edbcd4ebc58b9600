import type { Clock } from '../../contract/clock.ts';
import { badPart } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Log } from '../../contract/log.ts';
import { seriesName } from '../../contract/sample.ts';
import type { Store } from '../../store/store.ts';
import { selects } from '../query-parse.ts';
import { labelsOf, nameSeries } from '../query-series.ts';
import type { Handler } from './ask.ts';
import { readOpenRange, readSelection } from './selection.ts';

/**
 * `GET series?device=…&point=…&label=…&limit=100&after=…`: `{ series: [{ device, point, kind, labels, unit, first, last, samples, bytes }], matching,
 * next, cardinality: { series, ofAll, max, refused } }`, in order of device, point and kind; times are milliseconds since 1970.
 */
export function listSeries(store: Store): Handler {
  return async ({ instance, query, signal }) => {
    const { key, gateway } = instance;
    const selection = readSelection(query);
    const limit = readLimit(query);
    const after = query.get('after');
    const infos = (await store.series(key)).filter((info) => selects(selection, info, labelsOf(info, gateway)));
    const byName = new Map(infos.map((info) => [`${seriesName(info)} ${info.kind}`, info]));
    const ordered = nameSeries(infos, gateway).flatMap(({ key: id, kind, point }) => {
      const info = byName.get(`${seriesName(id)} ${kind}`);
      return info ? [{ info, point, place: `${id.device} ${id.point} ${kind}` }] : [];
    });
    const from = after === null ? 0 : ordered.findIndex(({ place }) => place === after) + 1;
    if (after !== null && from === 0) throw badPart('after', 'is no series that there is; allowed is `next` of the answer before');
    const page = ordered.slice(from, from + limit);
    const sizes = await store.sizes(
      key,
      page.map(({ info }) => info),
      signal,
    );
    const { series, ofAll, max, refused } = store.cardinality(key);
    const last = page.at(-1);
    return {
      body: {
        series: page.map(({ info, point }, place) => ({
          device: info.device,
          point: info.point,
          kind: info.kind,
          labels: labelsOf(info, gateway),
          ...(point?.unit === undefined ? {} : { unit: point.unit }),
          first: msOf(info.firstNs),
          last: msOf(info.lastNs),
          ...sizes[place],
        })),
        ...(last && from + limit < ordered.length ? { next: last.place } : {}),
        matching: ordered.length,
        cardinality: { series, ofAll, max, refused },
      },
    };
  };
}

/**
 * `DELETE history?device=…&point=…&label=…&from=…&to=…`: `{ series, samples }`. A device has to be said, so that nobody deletes everything by leaving
 * out a word; `device=*` says all.
 */
export function deleteHistory({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Handler {
  return async ({ instance, query, user }) => {
    const { key, gateway } = instance;
    if (!query.has('device')) throw badPart('device', 'is not there; allowed is the device whose history goes, or * for all');
    const selection = readSelection(query);
    const range = readOpenRange(query, clock.nowMs());
    const chosen = (await store.series(key)).filter(
      (info) => info.firstNs < range.toNs && info.lastNs >= range.fromNs && selects(selection, info, labelsOf(info, gateway)),
    );
    // A point whose kind was changed has several series, and they go together.
    const keys = new Map(chosen.map((info) => [seriesName(info), { device: info.device, point: info.point }]));
    const samples = keys.size === 0 ? 0 : await store.remove(key, [...keys.values()], range);
    log.info('history was deleted', { gateway: key, user: user.login, series: chosen.length, samples });
    return { body: { series: chosen.length, samples } };
  };
}

function readLimit(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return limits.suggestDefault;
  const limit = Number(text);
  if (!/^\d{1,6}$/.test(text) || limit < 1 || limit > limits.seriesListedMax)
    throw badPart('limit', `is ${JSON.stringify(text.slice(0, 64))}; allowed is 1 to ${limits.seriesListedMax}`);
  return limit;
}

function msOf(timeNs: bigint): number {
  return Number(timeNs / 1_000_000n);
}
