/** `survey`: what the last probe or scan of each connection found, a table for each sort of finding. */
import type { Finding } from '../contract/driver.ts';
import { type Field, type Frame, type Notice, withNotices } from '../frame/frame.ts';
import type { SurveyReport } from '../gateway/surveys.ts';
import type { Question } from './question.ts';
import { boolean, number, string } from './table.ts';

export function answerSurvey({ ask, instance }: Question): Frame[] {
  const reports = instance.gateway.surveys.all().filter(({ connection }) => ask.selection.connection(connection));
  const frames = reports.flatMap(framesOf);
  if (frames.length > 0) return frames;
  return [
    { meta: { notices: [{ severity: 'info', text: 'No probe or scan of these connections was made since the start.' }] }, fields: [] },
  ];
}

function framesOf(report: SurveyReport): Frame[] {
  const kinds = [...Map.groupBy(report.findings, ({ kind }) => kind)];
  const about = `${report.kind} of ${report.connection}`;
  const notices = noticesOf(report, about);
  const frames = kinds.map(([kind, findings]) => ({ name: `${about}: ${kind}`, fields: columns(report, findings) }));
  return (frames.length > 0 ? frames : [{ name: about, fields: [] }]).map((frame, i) => ({
    ...frame,
    meta: withNotices({ preferredVisualisationType: 'table' }, i === 0 ? notices : []),
  }));
}

function noticesOf({ state, error, dropped, findings, startedMs }: SurveyReport, about: string): Notice[] {
  const when = `The ${about} of ${new Date(startedMs).toISOString()}`;
  const end = state === 'done' ? [] : [`${when} ${state === 'running' ? 'is under way' : `did not come to its end: ${error}`}.`];
  const cut = dropped > 0 ? [`${when} found ${dropped} things more than are kept.`] : [];
  const none = findings.length === 0 && state === 'done' ? [`${when} found nothing.`] : [];
  return [...end, ...cut, ...none].map((text) => ({ severity: state === 'failed' ? 'warning' : 'info', text }));
}

function columns({ connection }: SurveyReport, findings: readonly Finding[]): Field[] {
  const names = [...new Set(findings.flatMap(({ values }) => Object.keys(values)))];
  return [
    string('connection', findings, () => connection),
    string('id', findings, ({ id }) => id),
    string('text', findings, ({ text }) => text),
    ...(findings.some(({ score }) => score !== undefined)
      ? [number('score', findings, ({ score }) => score, { unit: 'percentunit', min: 0, max: 1 })]
      : []),
    ...names.map((name) => valueColumn(name, findings)),
  ];
}

/** Of one type if all are; what differs is text. */
function valueColumn(name: string, findings: readonly Finding[]): Field {
  const types = new Set(
    findings.flatMap(({ values }) => (values[name] === undefined || values[name] === null ? [] : [typeof values[name]])),
  );
  const of = (finding: Finding) => finding.values[name] ?? undefined;
  const only = <T>(type: string) => types.size === 1 && types.has(type as never) && ((finding: Finding) => of(finding) as T | undefined);
  const asNumber = only<number>('number');
  if (asNumber) return number(name, findings, asNumber);
  const asBoolean = only<boolean>('boolean');
  if (asBoolean) return boolean(name, findings, asBoolean);
  return string(name, findings, (finding) => String(of(finding) ?? ''));
}
