/** Carries out what was typed; answers in sentences. */
import type { Grafana, Resource } from './grafana.ts';
import { helpLines, type Order } from './prompt.ts';
import { unitSign } from './values.ts';

export interface Outcome {
  lines: string[];
  /** True if a command was verified, or acknowledged where nothing verifies it; or the order needed no device. */
  ok: boolean;
}

export async function carryOut(grafana: Grafana, order: Exclude<Order, { kind: 'filter' | 'quit' }>): Promise<Outcome> {
  switch (order.kind) {
    case 'set': {
      const path = `devices/${encodeURIComponent(order.device)}/points/${encodeURIComponent(order.point)}`;
      const answer = await grafana.resource('POST', path, { value: order.value, ...(order.reason ? { reason: order.reason } : {}) });
      return outcomeOf(`${order.device}.${order.point} = ${order.value}`, answer);
    }
    case 'read': {
      const answer = await grafana.resource(
        'GET',
        `devices/${encodeURIComponent(order.device)}/points/${encodeURIComponent(order.point)}?fresh=1`,
      );
      if (answer.status !== 200) return { lines: [problemOf(answer)], ok: false };
      const { last, unit } = answer.body as {
        last: { value: unknown; text?: string; quality: string; reason: string } | null;
        unit?: string;
      };
      const value = last === null ? 'nothing' : `${last.text ?? last.value ?? '–'} ${last.text === undefined ? unitSign(unit) : ''}`.trim();
      return {
        lines: [`${order.device}.${order.point} reads ${value}${last?.reason ? ` (${last.quality}, ${last.reason})` : ''}`],
        ok: last?.quality === 'good',
      };
    }
    case 'health': {
      const { status, message } = await grafana.health();
      return { lines: [`${status}: ${message}`], ok: status === 'OK' };
    }
    case 'help':
      return { lines: helpLines, ok: true };
    case 'mistake':
      return { lines: [order.message], ok: false };
  }
}

function outcomeOf(what: string, answer: Resource): Outcome {
  const body = answer.body as { state?: string; readBack?: unknown; detail?: string; times?: Record<string, number> } | null;
  if (!body?.state) return { lines: [`${what}: ${problemOf(answer)}`], ok: false };
  const { state, readBack, times = {}, detail } = body;
  const took = times.ended !== undefined && times.queued !== undefined ? ` in ${times.ended - times.queued} ms` : '';
  const seen = readBack === undefined ? '' : `, reads ${readBack}`;
  return { lines: [`${what}: ${state}${seen}${took}${detail ? ` (${detail})` : ''}`], ok: answer.status === 200 };
}

function problemOf(answer: Resource): string {
  const body = answer.body as { detail?: string; title?: string } | null;
  return `refused with ${answer.status}: ${body?.detail ?? body?.title ?? String(answer.body)}`;
}
