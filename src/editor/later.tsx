import { type ComponentType, lazy, Suspense } from 'react';
import { Note } from './Note.tsx';
import { texts } from './texts.ts';

/** A part of the front end that is fetched when somebody opens it: a dashboard that is only looked at needs no editor. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const Part = lazy(async () => ({ default: (await load()) as ComponentType<object> }));
  return (props: Props) => (
    <Suspense fallback={<Note large>{texts.loading}</Note>}>
      <Part {...props} />
    </Suspense>
  );
}
