/** Tells Grafana's code editor what may stand in one text. Its schemas are those of the whole page, so one is for one text and goes with it. */
import type { monacoTypes } from '@grafana/ui';

export type JsonSchema = object;

type JsonDefaults = Pick<monacoTypes.languages.json.LanguageServiceDefaults, 'diagnosticsOptions' | 'setDiagnosticsOptions'>;

/** `model` is the address of the text. What is returned takes it back. */
export function describe(json: JsonDefaults, model: string, schema: JsonSchema): () => void {
  // It has no word for the newest language of schemas, and of the newer ones says only that it does not know all of them.
  const { $schema: _language, ...known } = schema as { $schema?: string };
  const own = { uri: `fieldgate:${model}`, fileMatch: [model], schema: known };
  const others = () => (json.diagnosticsOptions.schemas ?? []).filter(({ uri }) => uri !== own.uri);
  json.setDiagnosticsOptions({ ...json.diagnosticsOptions, validate: true, schemas: [...others(), own] });
  return () => json.setDiagnosticsOptions({ ...json.diagnosticsOptions, schemas: others() });
}
