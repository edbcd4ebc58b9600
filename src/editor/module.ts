import './place.ts';
import { DataSourcePlugin } from '@grafana/data';
import { FieldgateDataSource } from './datasource.ts';
import { later } from './later.tsx';
import type { FieldgateQuery, FieldgateSettings } from './types.ts';

export const plugin = new DataSourcePlugin<FieldgateDataSource, FieldgateQuery, FieldgateSettings>(FieldgateDataSource)
  .setConfigEditor(later(async () => (await import(/* webpackChunkName: "config" */ './ConfigEditor.tsx')).ConfigEditor))
  .setQueryEditor(later(async () => (await import(/* webpackChunkName: "query" */ './QueryEditor.tsx')).QueryEditor))
  .setQueryEditorHelp(later(async () => (await import(/* webpackChunkName: "query" */ './query/Help.tsx')).Help));
