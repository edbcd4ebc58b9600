/** A real broker: Debian's mosquitto on 127.0.0.1 with its own configuration in a temporary folder, and its own clients as the other end. */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const startWithinMs = 5_000;
const readyTopic = 'far-end/ready';

export interface MosquittoOptions {
  /** User → password; none: anyone may come. */
  users?: Record<string, string>;
  /** Lines of the ACL file. */
  acl?: string[];
  /** Further lines of mosquitto.conf; `{folder}` is the temporary folder. */
  lines?: string[];
  /** Files to put into the folder before the start. */
  files?: Record<string, string>;
  /** Lines that replace the listener; `{port}` is the port. */
  listener?: string[];
}

export interface Mosquitto {
  readonly port: number;
  readonly folder: string;
  /** Publishes with mosquitto_pub; the payload goes through its standard input. */
  publish(topic: string, payload: string | Buffer, options?: { retain?: boolean; qos?: 0 | 1 | 2 }): Promise<void>;
  /** Hears with mosquitto_sub from now on; the messages are in the order they came. */
  hear(filter: string): Promise<Heard>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface Heard {
  readonly messages: { topic: string; payload: string; retained: boolean; qos: number }[];
  close(): Promise<void>;
}

export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldgate-mosquitto-'));
  const port = await freePort();
  const [admin] = Object.entries(options.users ?? {});
  const login = admin ? ['-u', admin[0], '-P', admin[1]] : [];
  const place = (line: string) => line.replaceAll('{folder}', folder).replaceAll('{port}', String(port));
  const config = [
    ...(options.listener ?? ['listener {port} 127.0.0.1']),
    `allow_anonymous ${options.users === undefined}`,
    // Started as root it would become another user, who cannot read the folder.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...(options.users ? ['password_file {folder}/passwords'] : []),
    ...(options.acl ? ['acl_file {folder}/acl'] : []),
    'log_dest file {folder}/log',
    'log_type all',
    ...(options.lines ?? []),
  ];
  await writeFile(join(folder, 'mosquitto.conf'), config.map(place).join('\n'));
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text);
  if (options.acl) await writeFile(join(folder, 'acl'), options.acl.join('\n'));
  if (options.users) {
    await writeFile(join(folder, 'passwords'), '', { mode: 0o600 });
    for (const [user, password] of Object.entries(options.users))
      await run('mosquitto_passwd', ['-b', join(folder, 'passwords'), user, password]);
  }

  let broker: ChildProcess | undefined;
  const children = new Set<ChildProcess>();

  async function start(): Promise<void> {
    const binary = existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto';
    broker = spawnBound(binary, ['-c', join(folder, 'mosquitto.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    broker.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const until = Date.now() + startWithinMs;
    while (!(await answers(port))) {
      if (broker.exitCode !== null || Date.now() > until) throw new Error(`mosquitto did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function kill(): Promise<void> {
    await end(broker, 'SIGKILL');
    broker = undefined;
  }

  const publish: Mosquitto['publish'] = async (topic, payload, { retain = false, qos = 0 } = {}) => {
    const args = ['-h', '127.0.0.1', '-p', String(port), ...login, '-t', topic, '-q', String(qos), ...(retain ? ['-r'] : [])];
    // Of an empty standard input it makes no message.
    args.push(payload.length === 0 ? '-n' : '-s');
    const child = spawnBound('mosquitto_pub', args, { stdio: ['pipe', 'ignore', 'pipe'] });
    children.add(child);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(payload);
    const code = await exit(child);
    children.delete(child);
    if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}: ${said}`);
  };

  await start();
  return {
    port,
    folder,
    start,
    kill,
    publish,
    async hear(filter) {
      const messages: Heard['messages'] = [];
      // A message kept at the broker tells when mosquitto_sub hears, which it does not say itself.
      await publish(readyTopic, 'ready', { retain: true });
      // A line a message; the payload in hex, so that no content breaks the line.
      const child = spawnBound(
        'mosquitto_sub',
        ['-h', '127.0.0.1', '-p', String(port), ...login, '-q', '2', '-t', filter, '-t', readyTopic, '-F', '%r %q %x %t'],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
      children.add(child);
      let rest = '';
      const subscribed = new Promise<void>((resolve, reject) => {
        child.once('exit', () => reject(new Error(`mosquitto_sub ${filter} ended`)));
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const match = /^([01]) ([012]) ([0-9a-f]*) (.*)$/.exec(line);
            if (match?.[4] === readyTopic) resolve();
            else if (match)
              messages.push({
                retained: match[1] === '1',
                qos: Number(match[2]),
                payload: Buffer.from(match[3] ?? '', 'hex').toString(),
                topic: match[4] ?? '',
              });
          }
        });
      });
      await subscribed;
      return {
        messages,
        async close() {
          await end(child, 'SIGKILL');
          children.delete(child);
        },
      };
    },
    async close() {
      await Promise.all([...children].map((child) => end(child, 'SIGKILL')));
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A child that dies with us, so that a test that is cut short leaves nothing behind. */
export function spawnBound(command: string, args: string[], options: SpawnOptions): ChildProcess {
  const setpriv = '/usr/bin/setpriv';
  return existsSync(setpriv) ? spawn(setpriv, ['--pdeathsig', 'KILL', command, ...args], options) : spawn(command, args, options);
}

/** A port nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** True if somebody listens there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function exit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child) return;
  const ended = exit(child);
  child.kill(signal);
  await ended;
}
