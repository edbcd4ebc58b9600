/** What the editor needs of the backend to draw forms: asked once, again when somebody says so. */
import { useCallback, useEffect, useState } from 'react';
import type { Profile, Resources } from './resources.ts';
import type { DriverSchemas, Schema } from './schema.ts';

export interface Known {
  drivers: DriverSchemas[];
  schema: Schema;
  profiles: Profile[];
}

export function useKnown(resources: Resources): { known?: Known; error?: string; retry(): void } {
  const [result, setResult] = useState<{ known?: Known; error?: string }>({});
  const ask = useCallback(async () => {
    try {
      const [drivers, schema, profiles] = await Promise.all([resources.drivers(), resources.schema(), resources.profiles()]);
      setResult({ known: { drivers, schema, profiles } });
    } catch (error) {
      setResult({ error: (error as Error).message });
    }
  }, [resources]);
  useEffect(() => void ask(), [ask]);
  const retry = useCallback(() => {
    setResult({});
    void ask();
  }, [ask]);
  return { ...result, retry };
}
