import { LinkButton } from '@grafana/ui';
import { JsonText } from '../JsonText.tsx';
import type { Item } from './document.ts';
import type { Schema } from './schema.ts';
import { texts } from './texts.ts';

interface Props {
  document: Item;
  /** Absent while the backend has not said it. */
  schema: Schema | undefined;
  schemaUrl: string;
  readOnly: boolean;
  onChange(document: Item): void;
}

/** The same settings as text; what the forms do not know is here too. */
export function JsonSide({ document, schema, schemaUrl, readOnly, onChange }: Props) {
  return (
    <>
      <JsonText label={texts.settingsJson} rows={28} schema={schema} value={document} readOnly={readOnly} onChange={onChange} />
      <LinkButton variant="secondary" fill="text" size="sm" icon="external-link-alt" href={schemaUrl} target="_blank" rel="noopener">
        {texts.schemaLink}
      </LinkButton>
    </>
  );
}
