import { badPart } from '../../contract/fault.ts';
import { limits } from '../../contract/limits.ts';
import type { Handler, ResourceDeps } from './ask.ts';
import type { LongAnswers } from './long-answers.ts';

/**
 * `GET audit?after=`: a line of JSON each, `{ seq, time, prev, hash, json }`, oldest first; `hash` is the SHA-256 of `<prev>\n<seq>\n<time>\n<json>`, in
 * hexadecimal digits. `GET audit/check`: `{ intact, lines, first, head: { seq, hash }, broken: { seq, why } }`.
 */
export function auditHandlers({ store, longAnswers }: Pick<ResourceDeps, 'store'> & { longAnswers: LongAnswers }): {
  trail: Handler;
  check: Handler;
} {
  return {
    trail: ({ instance, query, signal }) => {
      const text = query.get('after') ?? '0';
      if (!/^\d{1,15}$/.test(text)) throw badPart('after', `is ${JSON.stringify(text.slice(0, 64))}; allowed is the number of a line`);
      return {
        type: 'application/x-ndjson',
        headers: { 'content-disposition': 'attachment; filename="fieldgate-audit.ndjson"' },
        async *stream() {
          const leave = longAnswers.enter('export');
          try {
            for (let after = Number(text); ; ) {
              signal.throwIfAborted();
              const lines = await store.audit(instance.key, { afterSeq: after, limit: limits.auditPageLines });
              if (lines.length > 0) yield Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
              const last = lines.at(-1);
              if (!last || lines.length < limits.auditPageLines) return;
              after = last.seq;
            }
          } finally {
            leave();
          }
        },
      };
    },
    check: async ({ instance, signal }) => ({ body: await store.checkAudit(instance.key, signal) }),
  };
}
