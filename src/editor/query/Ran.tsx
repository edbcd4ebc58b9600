import type { PanelData } from '@grafana/data';
import { Collapse } from '@grafana/ui';
import { useState } from 'react';
import { Note } from '../Note.tsx';
import { texts } from './texts.ts';

interface Props {
  refId: string;
  data: PanelData | undefined;
}

interface Read {
  frames: number;
  rows: number;
  tookMs: number;
}

/** What ran last and what it read, as the backend says it; the query inspector has the same. */
export function Ran({ refId, data }: Props) {
  const [isOpen, setOpen] = useState(false);
  const own = (data?.series ?? []).filter((frame) => frame.refId === refId);
  const meta = own.find((frame) => frame.meta?.executedQueryString)?.meta;
  if (!meta) return null;
  const read = meta.custom?.read as Read | undefined;
  const notices = own.flatMap((frame) => frame.meta?.notices ?? []);
  const said = read ? texts.read(read.rows, read.frames, read.tookMs) : '';
  return (
    <Collapse label={texts.ran(said, notices.length)} isOpen={isOpen} onToggle={() => setOpen(!isOpen)}>
      {notices.map(({ text }) => (
        <Note key={text} large>
          {text}
        </Note>
      ))}
      <pre>{meta.executedQueryString}</pre>
    </Collapse>
  );
}
