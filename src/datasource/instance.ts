import type { Gateway } from '../gateway/gateway.ts';

/** One data source of one organisation, running. */
export interface Instance {
  /** `"<orgId>/<uid>"`: its name in the store. */
  key: string;
  uid: string;
  gateway: Gateway;
}
