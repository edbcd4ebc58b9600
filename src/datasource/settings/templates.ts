/** Devices that are discovered: an id with `{placeholders}`, which may stand in titles and labels too (DESIGN §5). */
import { idSchema } from '../../contract/device.ts';
import type { Driver } from '../../contract/driver.ts';
import { messageOf } from '../../contract/fault.ts';
import { parsePlaceholders, placeholdersOf } from '../../contract/placeholders.ts';
import { parseTemplateId } from '../../contract/template-id.ts';
import type { Faults } from './faults.ts';
import { fieldOf } from './outer.ts';
import type { RawPoint } from './points.ts';
import { check } from './words.ts';

/** The placeholders of a device's id: none for a device that is there. Reports an id that is neither. */
export function readDeviceId(id: unknown, element: string, driver: Driver | undefined, faults: Faults): readonly string[] | undefined {
  if (typeof id !== 'string') return undefined;
  if (!/[{}]/.test(id)) {
    faults.take(check(idSchema, id), () => element, '.id');
    return undefined;
  }
  try {
    const { names } = parseTemplateId(id);
    if (driver && !driver.discovery)
      faults.add(
        element,
        '.id',
        `has placeholders, and ${driver.title} does not tell which devices there are; allowed is the id of one device`,
      );
    return names;
  } catch (error) {
    faults.add(element, '.id', messageOf(error));
    return undefined;
  }
}

/** Placeholders in titles and labels must be those of the id, else nobody knows what stands for them. */
export function checkTemplateTexts(
  names: readonly string[],
  device: { raw: unknown; element: string },
  points: readonly RawPoint[],
  faults: Faults,
): void {
  checkTexts(device.raw, () => device.element);
  for (const { raw, elementOf } of points) checkTexts(raw, elementOf);

  function checkTexts(raw: unknown, elementOf: (field: string) => string): void {
    checkText(fieldOf(raw, 'title'), elementOf('title'), '.title');
    const labels = fieldOf(raw, 'labels');
    if (typeof labels !== 'object' || labels === null) return;
    for (const [name, text] of Object.entries(labels)) checkText(text, elementOf('labels'), `.labels.${name}`);
  }

  function checkText(text: unknown, element: string, tail: string): void {
    if (typeof text !== 'string') return;
    try {
      const foreign = placeholdersOf(parsePlaceholders(text)).find((name) => !names.includes(name));
      if (foreign !== undefined)
        faults.add(
          element,
          tail,
          `has {${foreign}}, which is not in the id of the device; allowed are ${names.map((name) => `{${name}}`).join(', ')}`,
        );
    } catch (error) {
      faults.add(element, tail, messageOf(error));
    }
  }
}
