/** Annotations: commands with who sent them and how they ended, and when devices came and went. */
import type { AnnotationEvent, AnnotationQuery, AnnotationSupport, DataFrame } from '@grafana/data';
import { of } from 'rxjs';
import type { FieldgateQuery } from '../types.ts';

export const annotationSupport: AnnotationSupport<FieldgateQuery> = {
  getDefaultQuery: () => ({ queryType: 'commands', devices: ['*'] }),
  prepareAnnotation(json: AnnotationQuery<FieldgateQuery>) {
    return { ...json, target: json.target ?? { refId: 'Anno', queryType: 'commands', devices: ['*'] } };
  },
  processEvents: (_annotation, frames) => of(frames.flatMap((frame) => (frame.name === 'commands' ? commandsOf(frame) : changesOf(frame)))),
};

function column(frame: DataFrame, name: string): unknown[] {
  return [...(frame.fields.find((field) => field.name === name)?.values ?? [])];
}

function commandsOf(frame: DataFrame): AnnotationEvent[] {
  const [ends, titles, texts, tags] = ['timeEnd', 'title', 'text', 'tags'].map((name) => column(frame, name));
  return column(frame, 'time').map((time, row) => {
    const end = ends?.[row];
    return {
      time: Number(time),
      ...(typeof end === 'number' && end > Number(time) ? { timeEnd: end, isRegion: true } : {}),
      title: String(titles?.[row] ?? ''),
      text: escaped(String(texts?.[row] ?? '')),
      tags: String(tags?.[row] ?? '').split(','),
    };
  });
}

/** A frame of connectivity has the state the range begins with and the one it ends with: only what is different from the row before happened. */
function changesOf(frame: DataFrame): AnnotationEvent[] {
  const field = frame.fields.find(({ name }) => name === 'online');
  if (!field) return [];
  const states = [...field.values] as (number | null)[];
  const reasons = frame.fields.find(({ name }) => name === 'reason');
  const name = field.config.displayNameFromDS ?? frame.name ?? '';
  return column(frame, 'time').flatMap((time, row) => {
    const state = states[row] ?? null;
    if (row === 0 || state === null || state === states[row - 1]) return [];
    const word = state === 1 ? 'online' : 'offline';
    const why = reasons ? textAt(reasons, row) : '';
    return [
      {
        time: Number(time),
        title: `${name} ${word}`,
        text: escaped(why),
        tags: ['connectivity', field.labels?.device ?? name, word],
        color: state === 1 ? 'green' : 'red',
      },
    ];
  });
}

function textAt(field: DataFrame['fields'][number], row: number): string {
  const value: unknown = field.values[row];
  const text = typeof value === 'number' ? field.config.type?.enum?.text?.[value] : value;
  return typeof text === 'string' ? text : '';
}

/** Grafana shows the text of an annotation as HTML; what devices and people wrote is text. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
