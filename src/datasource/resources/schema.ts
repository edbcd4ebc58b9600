import type { Driver } from '../../contract/driver.ts';
import { schemasOf, settingsJsonSchema } from '../settings/schema.ts';
import type { Handler } from './ask.ts';

/** `GET schema`: JSON Schema of the settings. `GET drivers`: each protocol with the schemas of its own settings. Both are the same for all. */
export function schemaHandlers(drivers: readonly Driver[]): { schema: Handler; drivers: Handler } {
  let schema: unknown;
  let described: unknown;
  return {
    schema() {
      schema ??= settingsJsonSchema(drivers);
      return { body: schema };
    },
    drivers() {
      described ??= { drivers: drivers.map(schemasOf) };
      return { body: described };
    },
  };
}
