/** A probe or a scan while it runs: what it says, line by line. */
import { useEffect, useRef, useState } from 'react';
import type { Finding, Resources } from '../resources.ts';
import { type ConfigFault, Refused } from '../resources.ts';
import { texts } from '../texts.ts';

export interface SurveyState {
  phase: 'idle' | 'running' | 'ended';
  done: number;
  total?: number | undefined;
  text: string;
  /** What one should know of how it was done, or why it ended. */
  notes: string[];
  findings: Finding[];
  faults: ConfigFault[];
  isFailed: boolean;
}

const blank: SurveyState = { phase: 'idle', done: 0, text: '', notes: [], findings: [], faults: [], isFailed: false };

export function useSurvey(resources: Resources) {
  const [state, setState] = useState<SurveyState>(blank);
  const running = useRef<AbortController | undefined>(undefined);
  // Whoever leaves ends it: the backend notices that nobody reads.
  useEffect(() => () => running.current?.abort(), []);

  async function start(connection: string, kind: 'probe' | 'scan', body: object): Promise<void> {
    const control = new AbortController();
    running.current = control;
    let now: SurveyState = { ...blank, phase: 'running' };
    const put = (next: Partial<SurveyState>) => {
      now = { ...now, ...next };
      if (running.current === control) setState(now);
    };
    put({});
    try {
      for await (const line of resources.survey(connection, kind, body, control.signal)) {
        if (line.event === 'begin' && line.detail !== undefined) put({ notes: [line.detail] });
        if (line.event === 'progress') put({ done: line.done, total: line.total, text: line.text });
        if (line.event === 'finding') put({ findings: [...now.findings.filter(({ id }) => id !== line.id), line] });
        if (line.event === 'end') put({ phase: 'ended', notes: [...now.notes, line.detail], isFailed: line.state === 'failed' });
      }
      if (now.phase === 'running') put({ phase: 'ended', notes: [...now.notes, texts.ended], isFailed: true });
    } catch (error) {
      const faults = error instanceof Refused ? error.faults : [];
      const note = control.signal.aborted ? texts.cancelled : (error as Error).message;
      put({ phase: 'ended', notes: [...now.notes, note], faults, isFailed: !control.signal.aborted });
    }
  }
  return { state, start, cancel: () => running.current?.abort() };
}
