import { DataSourcePlugin } from '@grafana/data';
import { ConfigEditor } from './ConfigEditor.tsx';
import { FieldgateDataSource } from './datasource.ts';
import { QueryEditor } from './QueryEditor.tsx';
import { Help } from './query/Help.tsx';
import type { FieldgateQuery, FieldgateSettings } from './types.ts';

export const plugin = new DataSourcePlugin<FieldgateDataSource, FieldgateQuery, FieldgateSettings>(FieldgateDataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(Help);
