/** What the front end keeps in Grafana: the settings as the backend reads them, and a query beside Grafana's own members. */
import type { DataSourceJsonData } from '@grafana/data';
import type { DataQuery } from '@grafana/schema';

/** The configuration language is the backend's (`GET resources/schema`); here it is only carried. */
export interface FieldgateSettings extends DataSourceJsonData {
  version?: number;
  [member: string]: unknown;
}

/** The query language is the backend's; `queryType` and `devices` are all it needs. */
export interface FieldgateQuery extends DataQuery {
  devices?: string[];
  points?: string[];
  [member: string]: unknown;
}
