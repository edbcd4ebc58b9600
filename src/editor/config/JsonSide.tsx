import { LinkButton } from '@grafana/ui';
import { JsonText } from '../JsonText.tsx';
import type { Item } from './document.ts';

interface Props {
  document: Item;
  schemaUrl: string;
  readOnly: boolean;
  onChange(document: Item): void;
}

/** The same settings as text; what the forms do not know is here too. */
export function JsonSide({ document, schemaUrl, readOnly, onChange }: Props) {
  return (
    <>
      <JsonText label="Settings as JSON" rows={28} value={document} readOnly={readOnly} onChange={onChange} />
      <LinkButton variant="secondary" fill="text" size="sm" icon="external-link-alt" href={schemaUrl} target="_blank" rel="noopener">
        JSON Schema of the settings
      </LinkButton>
    </>
  );
}
