import type { CommandRecord } from '../../contract/command.ts';
import { notFound } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { SeriesKey } from '../../contract/sample.ts';
import { type Row, rowsAs } from '../export/rows.ts';
import { selects } from '../query-parse.ts';
import { labelsOf } from '../query-series.ts';
import type { Ask, Handler, ResourceDeps } from './ask.ts';
import type { LongAnswers } from './long-answers.ts';
import { readChoice, readLimit, readRange, readSelection } from './selection.ts';

type Deps = Pick<ResourceDeps, 'store' | 'clock'> & { longAnswers: LongAnswers };

/**
 * `GET commands?device=&point=&label=&state=&from=&to=&limit=&format=`: `{ commands: [...] }`, newest first; as CSV or NDJSON all of the range, which is
 * everything unless said. `GET commands/{id}`: one record. One that waits has a `position`: how many go before it.
 */
export function commandHandlers({ store, clock, longAnswers }: Deps): { list: Handler; one: Handler } {
  return {
    async list(ask) {
      const { query } = ask;
      const format = readChoice(query, 'format', ['json', 'csv', 'ndjson']);
      const limit = readLimit(query, limits.commandsListedDefault, limits.commandsListedMax);
      if (format === 'json') {
        const found = chosen(ask, store, clock.nowMs(), limit);
        const commands: object[] = [];
        for await (const page of found) {
          commands.push(...page.slice(0, limit - commands.length).map((record) => withPosition(ask, record)));
          if (commands.length >= limit) break;
        }
        return { body: { commands } };
      }
      const found = chosen(ask, store, clock.nowMs());
      const { type, head, row } = rowsAs(format, columns);
      return {
        type,
        headers: { 'content-disposition': `attachment; filename="fieldgate-commands.${format}"` },
        async *stream() {
          const leave = longAnswers.enter('export');
          try {
            yield Buffer.from(head);
            for await (const page of found) if (page.length > 0) yield Buffer.from(page.map((record) => row(rowOf(record))).join(''));
          } finally {
            leave();
          }
        },
      };
    },
    async one(ask) {
      const { id = '' } = ask.params;
      const record = await store.command(ask.instance.key, id);
      if (!record) throw notFound(`there is no command ${JSON.stringify(id)}`, 'id');
      return { body: withPosition(ask, record) };
    },
  };
}

/** `DELETE commands/{id}`: the record of what was cancelled; 409 for one that was sent. */
export const cancelCommand: Handler = async ({ instance, params: { id = '' }, user }) => ({
  body: await instance.gateway.commands.cancel(id, user),
});

/** Those that were asked for, page by page, newest first. What comes meanwhile is left out, so that nothing is told twice. */
async function* chosen(
  { instance, query, signal }: Ask,
  store: Deps['store'],
  nowMs: number,
  wanted: number = limits.commandsListedMax,
): AsyncGenerator<CommandRecord[]> {
  const target = targetOf(query);
  // What the store selects by itself is not read beyond what is wanted; else most of a page may not be meant.
  const limit = target && !['state', 'label', 'where'].some((name) => query.has(name)) ? wanted : limits.commandsListedMax;
  const selection = readSelection(query);
  const states = query.getAll('state');
  const timed = query.has('from') || query.has('to');
  const end = BigInt(nowMs + 1) * 1_000_000n;
  const range = timed ? readRange(query, nowMs) : { fromNs: 0n, toNs: end };
  for (let skip = 0; ; skip += limit) {
    signal.throwIfAborted();
    const page = await store.commands(instance.key, { limit, skip, range, ...(target ? { target } : {}) });
    yield page.filter(
      ({ device, point, state }) =>
        (states.length === 0 || states.includes(state)) &&
        selects(selection, { device, point }, labelsOf({ device, point }, instance.gateway)),
    );
    if (page.length < limit) return;
  }
}

/** The one point or action that is asked for, where it is named and not described. */
function targetOf(query: URLSearchParams): SeriesKey | undefined {
  const [devices, points] = [query.getAll('device'), query.getAll('point')];
  const [device, point] = [devices[0], points[0]];
  if (device === undefined || point === undefined || devices.length > 1 || points.length > 1) return undefined;
  return isName(device) && isName(point) ? { device, point } : undefined;
}

/** Neither a glob nor an expression: such signs stand in no name. */
function isName(selector: string): boolean {
  return !/[*/]/.test(selector);
}

function withPosition({ instance }: Ask, record: CommandRecord): object {
  const position = instance.gateway.commands.position(record);
  return position === undefined ? record : { ...record, position };
}

const columns = [
  'time',
  'ended',
  'device',
  'point',
  'kind',
  'value',
  'state',
  'readBack',
  'user',
  'role',
  'reason',
  'detail',
  'rule',
  'id',
] as const;

function rowOf({ times, user, origin, reason, detail, readBack, ...record }: CommandRecord): Row<(typeof columns)[number]> {
  const { device, point, kind, value, state, id } = record;
  const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  const { login, role } = user;
  return {
    time: time(times.queued),
    ended: time(times.ended),
    device,
    point,
    kind,
    value,
    state,
    readBack: readBack ?? null,
    user: login,
    role,
    reason: reason ?? '',
    detail: detail ?? '',
    rule: origin?.rule ?? '',
    id,
  };
}
