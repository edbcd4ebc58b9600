import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fieldgate-console-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Ended {
  code: number | null;
  said: string;
}

/** The console as a child process; `type` is written to it when `after` appeared in what it said. */
function run(command: string, args: readonly string[], typed: readonly { after: string; type: string }[] = []): Promise<Ended> {
  const child = spawn(command, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
  const left = [...typed];
  let said = '';
  let from = 0;
  const hear = (data: Buffer) => {
    said += data.toString();
    const next = left[0];
    const at = next ? said.indexOf(next.after, from) : -1;
    if (!next || at < 0) return;
    from = said.length;
    left.shift();
    child.stdin.write(next.type);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  return new Promise((done) =>
    child.once('close', (code) => {
      clearTimeout(limit);
      done({ code, said });
    }),
  );
}

const start = (...args: string[]) => run(process.execPath, [join(root, 'console/main.ts'), ...args]);

/** The same in a terminal of that size: util-linux makes one. */
function inTerminal(size: { rows: number; cols: number }, settings: string, typed: readonly { after: string; type: string }[]) {
  const line = `stty rows ${size.rows} cols ${size.cols}; exec ${process.execPath} console/main.ts --settings ${settings}`;
  return run('script', ['-qfec', line, '/dev/null'], typed);
}

describe('the console', () => {
  it.each([
    [['--settings', '/nowhere/gateway.json'], /nowhere\/gateway\.json is not readable as JSON: ENOENT/],
    [['--secrets', '/nowhere/secrets.json', '--settings', 'EMPTY'], /is not readable as JSON/],
    [['--role', 'God'], /--role God is unknown; allowed are Viewer, Editor and Admin/],
    [['--plugin', '/tmp', '--settings', 'EMPTY', 'health'], /is not there; run "npm run build" first/],
    [['--settings', 'EMPTY', 'quit'], /quit is for the screen only/],
    [['--settings', 'EMPTY', 'lunch'], /"lunch" is no order; known are set, read/],
    [['--settings', 'EMPTY', 'read', 'boiler.flow'], /refused with 404: there is no device "boiler"/],
    [['--settings', 'EMPTY', '--once'], /nothing runs yet: add a connection and a device[\s\S]*the settings have no connection that runs/],
  ])('%j fails with a sentence', async (args, sentence) => {
    const empty = file('empty.json', '{}');
    const { code, said } = await start(...args.map((arg) => (arg === 'EMPTY' ? empty : arg)));
    expect(said).toMatch(sentence);
    expect(said, 'no stack of ours').not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  it('says in a terminal of any size what was asked, and gives the terminal back', async () => {
    const refusing = createServer().listen(0, '127.0.0.1');
    const address = await new Promise<{ port: number }>((found) => refusing.once('listening', () => found(refusing.address() as never)));
    await new Promise((closed) => refusing.close(closed));
    const settings = file(
      'refused.json',
      JSON.stringify({
        version: 1,
        connections: [{ id: 'plc', kind: 'modbus', transport: { type: 'tcp', host: '127.0.0.1', port: address.port } }],
        devices: [
          {
            id: 'a.b',
            connection: 'plc',
            address: { unitId: 1 },
            points: [{ id: 'x', access: 'read-write', address: { table: 'holding', register: 1, type: 'uint16' } }],
          },
        ],
      }),
    );
    const { code, said } = await inTerminal({ rows: 12, cols: 50 }, settings, [
      { after: 'plc', type: 'help\r' },
      { after: 'what Save & test', type: 'set a.b.x 5\r' },
      { after: 'refused with 503', type: 'quit\r' },
    ]);
    expect(said).toContain('refused with 503');
    const last = said.lastIndexOf('\u001b[?1049l');
    expect(last, 'leaves the alternate screen').toBeGreaterThan(0);
    expect(said.slice(last), 'and draws nothing after it').not.toContain('\u001b[H');
    expect(said.slice(last)).not.toContain('the plugin ended');
    expect(code).toBe(0);
  });
});
