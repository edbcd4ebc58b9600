/** The built modules are compiled against a newer Grafana than the oldest they run in: what they import must be there already. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const dist = join(import.meta.dirname, '../../dist');
const exported = JSON.parse(readFileSync(join(import.meta.dirname, 'grafana-12.3.json'), 'utf8')) as Record<string, string[]>;
/** What Grafana hands to plugins beside its own packages. */
const others = ['react', 'react-dom', 'react/jsx-runtime', 'rxjs', '@emotion/css', 'module', 'exports'];

const plugins = readdirSync(dist, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(dist, entry.name)).includes('module.js'))
  .map(({ name }) => name);

it('finds modules to look at', () => {
  expect(plugins).toContain('fieldgate-iot-datasource');
});

it.each(plugins)('%s imports only names that Grafana 12.3 exports', (plugin) => {
  // Sources as they went into the bundle; what was only a type is no import any more and is not looked at.
  const texts = readdirSync(join(dist, plugin))
    .filter((name) => name.endsWith('.js.map'))
    .flatMap((name) => (JSON.parse(readFileSync(join(dist, plugin, name), 'utf8')) as { sourcesContent: string[] }).sourcesContent);
  const imports = [...new Set(texts)].flatMap((text) => [...text.matchAll(/^import (?!type\b)([^;]*?) from '(@grafana\/[^']+)';/gms)]);
  expect(imports.length).toBeGreaterThan(0);
  const missing = imports.flatMap(([whole, names = '', from = '']) => {
    const list = /^\{(.*)\}$/s.exec(names.trim())?.[1];
    // A whole namespace or a default cannot be told apart by names.
    if (list === undefined) return [whole];
    const values = list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '));
    return values.map((name) => name.split(' as ')[0] as string).filter((name) => !exported[from]?.includes(name));
  });
  expect(missing).toEqual([]);
});

it.each(plugins)('%s asks its host for nothing else', (plugin) => {
  const text = readFileSync(join(dist, plugin, 'module.js'), 'utf8');
  const asked = JSON.parse(/^.{0,200}?define\((\[[^\]]*\])/s.exec(text)?.[1] ?? '[]') as string[];
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter((name) => !(name in exported) && !others.includes(name))).toEqual([]);
});
