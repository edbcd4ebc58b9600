/** Device servers that are not ours between a TCP port and a serial port: ser2net with RFC 2217, socat with bytes alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { answers, freePort } from './mosquitto.ts';

const startMs = 10_000;
/** Debian keeps daemons where an ordinary user's PATH does not look. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

export interface DeviceServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startSer2net(path: string): Promise<DeviceServer> {
  const port = await freePort();
  const file = `${path}.yaml`;
  const own = `connection: &c\n  accepter: telnet(rfc2217),tcp,127.0.0.1,${port}\n  connector: serialdev,${path},1200n81,local\n  options:\n    kickolduser: true\n`;
  writeFileSync(file, `%YAML 1.1\n---\n${own}`);
  return await started(spawn('ser2net', ['-d', '-u', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'], env }), port);
}

export async function startSocat(path: string): Promise<DeviceServer> {
  const port = await freePort();
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`;
  return await started(
    spawn('socat', ['-d', '-d', listen, `OPEN:${path},raw,echo=0`], { stdio: ['ignore', 'ignore', 'pipe'], env }),
    port,
    /listening on/,
  );
}

/** Ready when it says so, or when it takes a connection: one more on a line that several would share takes bytes away. */
async function started(child: ChildProcess, port: number, ready?: RegExp): Promise<DeviceServer> {
  let said = '';
  child.stderr?.on('data', (text) => {
    said += String(text);
  });
  let over = false;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve();
    });
    child.once('exit', () => resolve());
  }).then(() => {
    over = true;
  });
  const endMs = performance.now() + startMs;
  while (!(ready ? ready.test(said) : await answers(port))) {
    if (over || performance.now() > endMs) {
      child.kill('SIGKILL');
      throw new Error(`${child.spawnfile} does not listen: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    async close() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
