import type * as z from 'zod';

/** For `superRefine`: a text is good if `read` takes it; the message of what it throws becomes the fault's. */
export function takenBy(read: (text: string) => unknown): (text: string, context: z.core.$RefinementCtx<string>) => void {
  return (text, context) => {
    try {
      read(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  };
}
