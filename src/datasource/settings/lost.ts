import type { Plan } from '../../gateway/plan.ts';
import type { Lost } from '../remembered/ledger.ts';

/**
 * A plan without the connections whose remembered secrets cannot be read: tried without them, a broker would only lock the account. Grafana brings
 * the secrets again with its next question.
 */
export function withoutLost(plan: Plan, lost: Lost | undefined): Plan {
  if (!lost) return plan;
  const missing = plan.connections.filter(({ connection }) => lost.names.some((name) => name.startsWith(`${connection.id}.`)));
  if (missing.length === 0) return plan;
  return {
    ...plan,
    connections: plan.connections.filter((one) => !missing.includes(one)),
    faults: [
      ...plan.faults,
      ...missing.map(({ connection }) => ({
        severity: 'error' as const,
        place: 'connections',
        message: `${connection.id} is not opened: its remembered secrets cannot be read (${lost.why}), until Grafana names the data source`,
      })),
    ],
  };
}
