import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** DESIGN §3: which rooms a room may import, and which heavy packages live in it. */
const allowed: Record<string, string[]> = {
  'src/contract': ['src/contract'],
  'src/frame': ['src/frame', 'src/contract'],
  'src/store': ['src/store', 'src/contract'],
  'src/gateway': ['src/gateway', 'src/store', 'src/contract'],
  'src/datasource': ['src/datasource', 'src/gateway', 'src/store', 'src/frame', 'src/contract'],
  'src/wire': ['src/wire', 'src/datasource', 'src/frame', 'src/contract'],
  'src/editor': ['src/editor', 'src/contract'],
  'src/panel': ['src/panel', 'src/contract'],
  'src/main.ts': ['src', 'drivers/index.ts'],
  // A serial port is a pipe two protocols run through; it knows neither.
  'drivers/tty': ['drivers/tty', 'src/contract'],
  'drivers/serial': ['drivers/serial', 'drivers/tty', 'src/contract'],
  'drivers/modbus': ['drivers/modbus', 'drivers/tty', 'src/contract'],
  'drivers/index.ts': ['src/contract', 'drivers'],
  console: ['console', 'proto'],
  simulators: ['simulators', 'proto'],
};

const homes: Record<string, string[]> = {
  '@grpc/grpc-js': ['src/wire', 'console'],
  '@grpc/proto-loader': ['console'],
  '@bufbuild/protobuf': ['src/wire'],
  'apache-arrow': ['src/frame', 'console'],
  flatbuffers: ['src/frame'],
  'node:sqlite': ['src/store'],
  mqtt: ['drivers/mqtt'],
  cborg: ['drivers/mqtt'],
  '@msgpack/msgpack': ['drivers/mqtt'],
  'csv-parse': ['drivers/mqtt'],
  // The peer of a benchmark; our own speaks the protocol itself.
  'modbus-serial': [],
  serialport: ['drivers/tty'],
  'prom-client': ['src/datasource'],
  react: ['src/editor', 'src/panel'],
  zod: ['src/contract', 'src/datasource', 'src/gateway', 'src/editor', 'drivers/mqtt', 'drivers/modbus', 'drivers/serial'],
  re2js: ['src/contract'],
  aedes: ['simulators'],
};

function files(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (name === 'node_modules' || name === 'generated' || name === 'host') return [];
    if (statSync(join(root, path)).isDirectory()) return files(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

/** `drivers/x` is a room of its own. */
function roomOf(path: string): string {
  if (path in allowed) return path;
  const parts = path.split('/');
  return parts[0] === 'src' || parts[0] === 'drivers' ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

function mayImport(room: string): string[] {
  return allowed[room] ?? (room.startsWith('drivers/') ? [room, 'src/contract'] : []);
}

function imports(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\n[^'";]*?)*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

const sources = ['src', 'drivers', 'console', 'simulators'].flatMap(files);

describe('the house', () => {
  it('has files to check', () => expect(sources.length).toBeGreaterThan(20));

  it.each(sources)('%s imports only what its room may', (path) => {
    const room = roomOf(path);
    for (const name of imports(path)) {
      if (name.startsWith('.')) {
        const target = relative(root, resolve(root, dirname(path), name));
        const ok = mayImport(room).some((place) => target === place || target.startsWith(`${place}/`));
        expect(ok, `${path} (room ${room}) imports ${target}`).toBe(true);
        continue;
      }
      const home = Object.entries(homes).find(
        ([heavy]) => name === heavy || name.startsWith(`${heavy}/`) || (heavy === 'react' && name.startsWith('@grafana/')),
      );
      if (home) expect(home[1], `${path} imports ${name}`).toContain(room);
    }
  });

  it.each(sources)('%s is not a monster', (path) => {
    expect(readFileSync(join(root, path), 'utf8').split('\n').length, 'split it at 400 lines').toBeLessThanOrEqual(400);
  });

  it('has no room without a purpose in its name', () => {
    for (const path of sources) expect(path).not.toMatch(/(utils?|helpers?|common|manager)\b/i);
  });
});
