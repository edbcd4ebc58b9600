/** What the front end keeps in Grafana: the settings as the backend reads them, and a query beside Grafana's own members. */
import type { DataSourceJsonData } from '@grafana/data';
import type { DataQuery } from '@grafana/schema';
import type * as z from 'zod';
import type { QueryType, querySchema, Where } from '../contract/query.ts';

/** The configuration language is the backend's (`GET resources/schema`); here it is only carried. */
export interface FieldgateSettings extends DataSourceJsonData {
  version?: number;
  [member: string]: unknown;
}

/** The query language is the backend's, as it is written; an interval may still hold a variable. */
type Asked = Partial<Omit<z.input<typeof querySchema>, 'queryType'>>;

/** `queryType` and `devices` are all that most queries need. */
export interface FieldgateQuery extends DataQuery, Asked {
  queryType?: QueryType;
  /** How it is edited: with fields unless said. */
  editorMode?: 'builder' | 'code';
}

export type { Where };

/** What the backend's `suggest` knows the names of. */
export type NameKind = 'devices' | 'points' | 'labels' | 'values' | 'commands' | 'connections';

/** What a dashboard variable is filled with. */
export interface FieldgateVariableQuery extends DataQuery {
  what?: NameKind;
  /** The label of `values`. */
  label?: string;
  /** Which devices and points it is about; all unless said. */
  devices?: string[];
  points?: string[];
  /** What has to hold of their labels: a name and a selector. */
  labels?: Record<string, string>;
}
