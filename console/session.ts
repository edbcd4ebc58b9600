/** Asks the plugin everything a screen shows and makes the model of it. */
import { type Frame, field } from './frames.ts';
import type { Grafana, Resource } from './grafana.ts';
import type { CommandRow, ConnectionRow, DeviceRow, Model, PointRow } from './model.ts';
import { height, unitSign, valueText } from './values.ts';

const trendMs = 60_000;
const trendBucketMs = 2_000;

/** One look at everything. Throws only if the plugin itself does not answer. */
export async function look(grafana: Grafana, startedInMs: number, messages: string[]): Promise<Model> {
  const nowMs = Date.now();
  const selection = { devices: ['*'], points: ['*'] };
  const [answers, health, connections, devices, commands] = await Promise.all([
    grafana.query(
      [
        { refId: 'latest', queryType: 'latest', quality: 'all', format: 'long', ...selection },
        { refId: 'trend', queryType: 'telemetry', aggregate: 'avg', interval: `${trendBucketMs}ms`, ...selection },
      ],
      { fromMs: nowMs - trendMs, toMs: nowMs },
    ),
    grafana.health(),
    grafana.resource('GET', 'connections'),
    grafana.resource('GET', 'devices'),
    grafana.resource('GET', 'commands?limit=3'),
  ]);
  const errors = [...answers.values()].map(({ error }) => error).filter((error) => error !== '');
  return {
    nowMs,
    health,
    startedInMs,
    connections: list(connections, 'connections').map(connectionRow),
    devices: list(devices, 'devices').map(deviceRow),
    points: pointRows(answers.get('latest')?.frames ?? [], trends(answers.get('trend')?.frames ?? [], nowMs)),
    commands: list(commands, 'commands').map(commandRow),
    messages: [...messages, ...errors],
  };
}

type Fields = Record<string, unknown>;

function list(resource: Resource, name: string): Fields[] {
  const rows = (resource.body as Fields | null)?.[name];
  return Array.isArray(rows) ? (rows as Fields[]) : [];
}

const text = (value: unknown) => (value === undefined || value === null ? '' : String(value));

function connectionRow(row: Fields): ConnectionRow {
  return { id: text(row.id), kind: text(row.kind), state: text(row.state), sinceMs: Number(row.since), error: text(row.error) };
}

function deviceRow(row: Fields): DeviceRow {
  return { id: text(row.id), connection: text(row.connection), state: text(row.state), sinceMs: Number(row.since) };
}

export function commandRow(row: Fields): CommandRow {
  const times = (row.times ?? {}) as Record<string, number | undefined>;
  const begun = times.queued ?? 0;
  return {
    device: text(row.device),
    point: text(row.point),
    value: text(row.value),
    state: text(row.state),
    user: text((row.user as Fields | undefined)?.login),
    timeMs: begun,
    tookMs: times.ended === undefined ? null : times.ended - begun,
    detail: text(row.detail),
  };
}

/** `device\npoint` → the averages of the last minute, one a bucket, null where there was none. */
function trends(frames: readonly Frame[], nowMs: number): Map<string, (number | null)[]> {
  const buckets = trendMs / trendBucketMs;
  const first = Math.floor((nowMs - trendMs) / trendBucketMs) + 1;
  const found = new Map<string, (number | null)[]>();
  for (const frame of frames) {
    const times = frame.fields[0]?.values ?? [];
    for (const column of frame.fields.slice(1)) {
      const trend: (number | null)[] = new Array(buckets).fill(null);
      times.forEach((time, i) => {
        const slot = Math.floor(Number(time) / trendBucketMs) - first;
        if (slot >= 0 && slot < buckets) trend[slot] = height(column.values[i]);
      });
      found.set(`${column.labels.device}\n${column.labels.point}`, trend);
    }
  }
  return found;
}

function pointRows(frames: readonly Frame[], trend: Map<string, (number | null)[]>): PointRow[] {
  const rows = frames.flatMap((frame) => {
    const at = (name: string, row: number) => field(frame, name)?.values[row] ?? null;
    const count = frame.fields[0]?.values.length ?? 0;
    return Array.from({ length: count }, (_, row): PointRow => {
      const [device, point] = [text(at('device', row)), text(at('point', row))];
      const time = at('time', row);
      return {
        device,
        point,
        value: at('text', row) === null ? valueText(at('value', row), {}) : text(at('text', row)),
        unit: at('value', row) === null ? '' : unitSign(text(at('unit', row))),
        quality: time === null ? 'silent' : text(at('quality', row)),
        reason: text(at('reason', row)),
        timeMs: time === null ? null : Number(time),
        trend: trend.get(`${device}\n${point}`) ?? [],
      };
    });
  });
  return rows.sort((a, b) => a.device.localeCompare(b.device) || a.point.localeCompare(b.point));
}
