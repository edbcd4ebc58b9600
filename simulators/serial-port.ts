/** A simulated serial port; what is heard and said on it is the device's affair. The pty itself is made by `serial-port.py`. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface SerialPort {
  readonly path: string;
  hear(listen: (bytes: Buffer) => void): void;
  say(bytes: Buffer | string): void;
  /** Pulls the plug; the port is there again under the same name after so long. */
  unplug(forMs: number): void;
  close(): Promise<void>;
}

const readyWithinMs = 10_000;
const script = fileURLToPath(new URL('serial-port.py', import.meta.url));

/** Undefined where there is no Python, or no pty (Windows). Throws with a sentence if the name is taken. */
export async function openSerialPort(path: string): Promise<SerialPort | undefined> {
  let child = await plug(path);
  if (!child) return undefined;
  let listen: (bytes: Buffer) => void = () => {};
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const attach = () => child?.stdout.on('data', (bytes: Buffer) => listen(bytes));
  attach();
  const pull = async () => {
    const gone = child;
    child = undefined;
    if (!gone) return;
    const ended = new Promise<void>((resolve) => gone.once('exit', () => resolve()));
    gone.stdin.end();
    await ended;
  };
  return {
    path,
    hear(take) {
      listen = take;
    },
    say: (bytes) => void child?.stdin.write(bytes),
    unplug(forMs) {
      void pull();
      timer = setTimeout(() => {
        plug(path).then(
          (again) => {
            child = again;
            if (closed) void pull();
            else attach();
          },
          (error: unknown) => console.error(String(error)),
        );
      }, forMs);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await pull();
    },
  };
}

function plug(path: string): Promise<ChildProcessWithoutNullStreams | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-u', script, path], { stdio: ['pipe', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (text) => {
      complaint += String(text);
    });
    child.stdin.on('error', () => {}); // Its death is told by 'exit'.
    const timer = setTimeout(() => reject(new Error(`${path} was not there within ${readyWithinMs / 1_000} s`)), readyWithinMs);
    child.once('error', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    child.once('exit', () => {
      clearTimeout(timer);
      // A Python without ptys (Windows) is as good as none; a name that is taken is worth a word.
      if (/is there already/.test(complaint)) reject(new Error(complaint.trim()));
      else resolve(undefined);
    });
    child.stdout.once('data', (line: Buffer) => {
      clearTimeout(timer);
      if (/^ready /.test(line.toString())) resolve(child);
    });
  });
}
