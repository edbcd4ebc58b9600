import { Alert, CodeEditor, type CodeEditorMonacoOptions } from '@grafana/ui';
import { useEffect, useRef, useState } from 'react';
import { isItem } from './config/document.ts';
import { describe, type JsonSchema } from './json-schema.ts';
import { texts } from './texts.ts';

interface Props {
  value: unknown;
  label: string;
  rows: number;
  /** What may be written: completes names and values, says what they mean, and marks what is not allowed. */
  schema?: JsonSchema | undefined;
  readOnly?: boolean;
  onChange(value: Record<string, unknown>): void;
}

const lineHeightPx = 18;

/** An editor for a JSON object. What is not yet one is kept as text and said; `onChange` sees objects only. */
export function JsonText({ value, label, rows, schema, readOnly = false, onChange }: Props) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [fault, setFault] = useState('');
  const [mounted, setMounted] = useState<Mounted>();
  useEffect(() => schema && mounted && describe(mounted.json, mounted.model, schema), [schema, mounted]);

  function read(next: string): void {
    setText(next);
    try {
      const parsed: unknown = parse(next);
      if (!isItem(parsed)) throw new Error(texts.noObject);
      setFault('');
      onChange(parsed);
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  }
  // Grafana's editor keeps the first function that it was given.
  const latest = useRef(read);
  latest.current = read;

  return (
    <div>
      <CodeEditor
        language="json"
        value={text}
        height={rows * lineHeightPx}
        showLineNumbers
        showMiniMap={false}
        wordWrap
        readOnly={readOnly}
        monacoOptions={optionsOf(label)}
        onChange={(next) => latest.current(next)}
        onEditorDidMount={(editor, monaco) => {
          const model = editor.getModel()?.uri.toString();
          if (model !== undefined) setMounted({ json: monaco.languages.json.jsonDefaults, model });
        }}
      />
      {fault !== '' && <Alert severity="warning" title={texts.notUsedYet(fault)} />}
    </div>
  );
}

interface Mounted {
  json: Parameters<typeof describe>[0];
  model: string;
}

const optionsOf = (ariaLabel: string): CodeEditorMonacoOptions => ({
  ariaLabel,
  lineHeight: lineHeightPx,
  scrollBeyondLastLine: false,
  // Most names and values stand in quotes.
  quickSuggestions: { strings: true, other: true, comments: false },
});

/** Throws where a browser would round: a register's address or a limit that changes by itself is worse than none. */
function parse(text: string): unknown {
  // Browsers that do not tell the source yet leave the third argument out; the backend refuses such numbers too.
  const exact = (_name: string, value: unknown, context?: { source?: string }) => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source !== undefined)
      throw new Error(texts.inexact(value, context.source));
    return value;
  };
  return JSON.parse(text, exact);
}
