import { Alert, TextArea } from '@grafana/ui';
import { useState } from 'react';
import { isItem } from './config/document.ts';

interface Props {
  value: unknown;
  label: string;
  rows: number;
  readOnly?: boolean;
  onChange(value: Record<string, unknown>): void;
}

/** A text area for a JSON object. What is not yet one is kept as text and said; `onChange` sees objects only. */
export function JsonText({ value, label, rows, readOnly = false, onChange }: Props) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [fault, setFault] = useState('');

  function read(next: string): void {
    setText(next);
    try {
      const parsed: unknown = parse(next);
      if (!isItem(parsed)) throw new Error('allowed is a JSON object: { … }');
      setFault('');
      onChange(parsed);
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <div>
      <TextArea
        aria-label={label}
        value={text}
        rows={rows}
        spellCheck={false}
        readOnly={readOnly}
        style={{ fontFamily: 'monospace' }}
        onChange={(event) => read(event.currentTarget.value)}
      />
      {fault !== '' && <Alert severity="warning" title={`Not used yet: ${fault}`} />}
    </div>
  );
}

/** Throws where a browser would round: a register's address or a limit that changes by itself is worse than none. */
function parse(text: string): unknown {
  // Browsers that do not tell the source yet leave the third argument out; the backend refuses such numbers too.
  const exact = (_name: string, value: unknown, context?: { source?: string }) => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source !== undefined)
      throw new Error(`a browser makes ${value} of ${context.source}; write it as text: "${context.source}"`);
    return value;
  };
  return JSON.parse(text, exact);
}
