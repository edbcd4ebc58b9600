import type { QueryEditorHelpProps } from '@grafana/data';
import { Button, Stack, Text } from '@grafana/ui';
import { useEffect, useState } from 'react';
import type { FieldgateDataSource } from '../datasource.ts';
import { Note } from '../Note.tsx';
import type { FieldgateQuery } from '../types.ts';
import { type Example, examplesOf, general } from './examples.ts';
import { texts } from './texts.ts';

/** Examples with the user's own devices: a click asks them. */
export function Help({ datasource, onClickExample }: QueryEditorHelpProps<FieldgateQuery>) {
  const [examples, setExamples] = useState<Example[]>([]);
  const { ask } = datasource as unknown as FieldgateDataSource;
  useEffect(() => {
    let isGone = false;
    examplesOf(ask).then(
      (found) => !isGone && setExamples(found),
      () => !isGone && setExamples(general('*')),
    );
    return () => {
      isGone = true;
    };
  }, [ask]);
  return (
    <Stack direction="column" gap={2}>
      <Text element="h2" variant="h4">
        {texts.examples}
      </Text>
      {examples.map(({ title, text, query }) => (
        <Stack key={title} direction="column" gap={0.5}>
          <Text element="h3" variant="h5">
            {title}
          </Text>
          <Note large>{text}</Note>
          <div>
            <Button variant="secondary" fill="outline" size="sm" onClick={() => onClickExample({ refId: 'A', ...query })}>
              {JSON.stringify(query)}
            </Button>
          </div>
        </Stack>
      ))}
      <Note large>{texts.selectors}</Note>
    </Stack>
  );
}
