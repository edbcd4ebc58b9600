/**
 * Writes docs/configuration.md from the schemas, the one place where settings are declared: every field with what is allowed, its default and an
 * example. `node scripts/reference.ts` writes it, `--check` fails if it is not what would be written. A field without an example is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as z from 'zod';
import { drivers } from '../drivers/index.ts';
import { durationPattern } from '../src/contract/duration.ts';
import { queryJsonSchema } from '../src/contract/query.ts';
import { schemasOf, settingsJsonSchema } from '../src/datasource/settings/schema.ts';

type Schema = z.core.JSONSchema.JSONSchema;

const file = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));

const intro = `# The configuration language

Made by \`npm run reference\` from the schemas that check the settings; change those, not this page.

The settings of a data source are one JSON document (\`jsonData\`). The editor, provisioning files and \`POST config/check\` use the same one; the resource \`schema\`
serves it as JSON Schema. A duration is a string such as \`"500ms"\`, \`"1s"\`, \`"5m"\`, \`"12h"\` or \`"30d"\`. Every fault names its place
(\`devices[2].points[0].address.register\`) and what is allowed; a bad element does not stop the others. Settings reach every user's browser, so secrets are not in
them: they are stored beside, named \`<connection id>.<field>\`. In provisioning files Grafana replaces \`$\`: write \`$$\` for a dollar sign.
`;

/** Fields of an object, and below it those of the objects inside. */
function section(title: string, schema: Schema, level: number, skip: readonly string[] = []): string[] {
  const rows: string[] = [];
  const inner: string[] = [];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (typeof field === 'boolean' || skip.includes(name)) continue;
    rows.push(row(`${title} / ${name}`, name, field, (schema.required ?? []).includes(name)));
    for (const [label, object] of objectsIn(name, field)) inner.push(...section(`${title} / ${label}`, object, level + 1));
  }
  if (rows.length === 0) return inner;
  const head = [`\n${'#'.repeat(level)} ${title}\n`, ...(schema.description && level > 2 ? [`${schema.description}.\n`] : [])];
  return [...head, '| field | allowed | default | example | meaning |', '|---|---|---|---|---|', ...rows, ...inner];
}

/** Objects that a field may hold, each with a name of its own where there are several. */
function objectsIn(name: string, field: Schema): [string, Schema][] {
  const choices = (field.anyOf ?? field.oneOf ?? [field]).filter(
    (one): one is Schema => typeof one === 'object' && one.properties !== undefined,
  );
  return choices.map((one) => {
    const kind = Object.values(one.properties ?? {}).find(
      (each): each is Schema => typeof each === 'object' && typeof each.const === 'string',
    );
    return [choices.length > 1 && kind ? `${name} (${kind.const})` : name, one];
  });
}

function row(place: string, name: string, field: Schema, required: boolean): string {
  const example = exampleOf(field);
  if (example === undefined) throw new Error(`${place} has no example: give its schema one with .meta({ examples: [...] })`);
  if (!field.description) throw new Error(`${place} has no description: give its schema one with .describe(...)`);
  const fallback = required ? 'must be given' : field.default === undefined ? '' : code(field.default);
  return `| \`${name}\` | ${cell(allowed(field))} | ${cell(fallback)} | ${cell(code(example))} | ${cell(field.description)} |`;
}

function allowed(field: Schema): string {
  if (field.const !== undefined) return code(field.const);
  if (field.enum) return field.enum.map(code).join(', ');
  const choices = field.anyOf ?? field.oneOf;
  if (choices) return [...new Set(choices.map((one) => (typeof one === 'boolean' ? 'anything' : allowed(one))))].join(' or ');
  if (field.pattern === durationPattern.source) return 'a duration';
  if (field.type === 'array')
    return `a list of ${typeof field.items === 'object' && !Array.isArray(field.items) ? allowed(field.items as Schema) : 'values'}`;
  if (field.type === 'integer' || field.type === 'number')
    return `${field.type === 'integer' ? 'a whole number' : 'a number'}${bounds(field)}`;
  if (field.type === 'boolean') return '`true` or `false`';
  if (field.type === 'string') return field.maxLength === undefined ? 'text' : `text of up to ${field.maxLength} characters`;
  return field.type === 'object' ? 'an object' : 'anything';
}

function bounds({ minimum, maximum, exclusiveMinimum }: Schema): string {
  const low =
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER
      ? ` from ${minimum}`
      : exclusiveMinimum === undefined
        ? ''
        : ` above ${exclusiveMinimum}`;
  return `${low}${maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum}` : ''}`;
}

/** The schema's own example, else what can be made of its parts. */
function exampleOf(field: Schema): unknown {
  const isDuration = field.pattern === durationPattern.source;
  if (field.examples?.length && !(isDuration && field.default !== undefined)) return field.examples[0];
  if (field.const !== undefined) return field.const;
  if (field.enum) return field.enum[0];
  if (field.default !== undefined && !isEmpty(field.default)) return field.default;
  if (field.type === 'boolean') return true;
  const choices = field.anyOf ?? field.oneOf;
  if (choices) return choices.map((one) => (typeof one === 'boolean' ? undefined : exampleOf(one))).find((one) => one !== undefined);
  if (field.type === 'array' && typeof field.items === 'object') {
    const item = exampleOf(field.items as Schema);
    return item === undefined ? undefined : [item];
  }
  if (field.type === 'object' && field.properties) return objectExample(field);
  return undefined;
}

/** The required fields; the first one if none is. */
function objectExample(schema: Schema): unknown {
  const fields = Object.entries(schema.properties ?? {}).filter((entry): entry is [string, Schema] => typeof entry[1] === 'object');
  const shown = schema.required?.length ? fields.filter(([name]) => schema.required?.includes(name)) : fields.slice(0, 1);
  const parts = shown.map(([name, field]) => [name, exampleOf(field)] as const);
  return parts.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(parts);
}

const isEmpty = (value: unknown) => value !== null && typeof value === 'object' && Object.keys(value).length === 0;
const code = (value: unknown) => `\`${JSON.stringify(value)}\``;
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');

function page(): string {
  const whole = settingsJsonSchema(drivers);
  const listed = (schema: Schema, name: string): Schema => {
    const list = schema.properties?.[name];
    const items = typeof list === 'object' ? list.items : undefined;
    return typeof items === 'object' && !Array.isArray(items) ? (items as Schema) : {};
  };
  const device = listed(whole, 'devices');
  const lists = ['connections', 'devices', 'profiles'];
  const parts = [
    intro,
    ...section('The document', whole, 2, lists),
    '\n`connections`, `devices` and `profiles` are lists of what the next sections describe.',
    ...section('A device', device, 2, ['points', 'commands', 'address']),
    "\n`points` and `commands` are lists of what follows; `address` is the driver's.",
    ...section('A point', listed(device, 'points'), 2, ['address']),
    "\n`address` is the driver's.",
    ...section('A profile', listed(whole, 'profiles'), 2, ['points', 'commands']),
  ];
  for (const driver of drivers.map(schemasOf)) {
    parts.push(`\n## ${driver.title} (\`"kind": ${JSON.stringify(driver.kind)}\`)\n`);
    parts.push(
      driver.secrets.length > 0 ? `Secrets of a connection: ${driver.secrets.map(code).join(', ')}.` : 'A connection has no secrets.',
    );
    parts.push(...section(`Connection (${driver.kind})`, driver.connection, 3));
    parts.push(...section(`Address of a device (${driver.kind})`, driver.device, 3));
    parts.push(...section(`Address of a point (${driver.kind})`, driver.address, 3));
    if (driver.action) parts.push(...section(`Command of a device (${driver.kind})`, driver.action, 3));
  }
  parts.push(
    '\n## A query\n\nWhat a panel, Explore, a variable or an alert rule asks, as JSON. Only `queryType` and what the type needs must be given.\n',
    ...section('A query', queryJsonSchema(), 2).slice(1),
  );
  return `${parts.join('\n')}\n`;
}

const text = page();
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/configuration.md is not what the schemas say; run npm run reference');
  process.exitCode = 1;
}
