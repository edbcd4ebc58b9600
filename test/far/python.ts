/**
 * Far ends written in Python: a program that listens, says `ready <port or path>` on its first line, then answers one line of JSON with one
 * line of JSON (`{"error": …}` when it could not). It ends by itself when its stdin closes, so none is left behind by a dead test run.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the programs beside this one say, each its part. */
export interface FarAnswer {
  value?: unknown;
  exception?: number;
  requests?: [number, number, number][];
  times?: number[];
  error?: string;
}

export interface FarProgram {
  /** Where it listens: a TCP port, or NaN. */
  readonly port: number;
  readonly pid: number;
  /** Rejects if the program says it could not, died, or said nothing for 5 s. */
  ask(
    question: Record<string, unknown>,
  ): Promise<{ value?: unknown; exception?: number; requests?: [number, number, number][]; times?: number[] }>;
  /** SIGKILL; resolves when it is gone. Any number of times. */
  kill(): Promise<void>;
}

const startMs = 20_000;
const answerMs = 5_000;
/** Put there by the set-up (`pip install --target`); Python ignores it when it is absent. */
const packages = fileURLToPath(new URL('../../.far/python', import.meta.url));

/** `script` is a file beside this one. `place` is a TCP port, where 0 lets the program take a free one, or the path of a serial port. */
export function startPython(script: string, place: number | string = 0): Promise<FarProgram> {
  return startProgram(script, 'python3', ['-u', fileURLToPath(new URL(script, import.meta.url)), String(place)]);
}

/** `script` is its name for people. */
export async function startProgram(script: string, command: string, words: readonly string[]): Promise<FarProgram> {
  const child = spawn(command, words, {
    env: { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const complaints: string[] = [];
  child.stderr.on('data', (data: Buffer) => {
    complaints.push(data.toString());
    if (complaints.length > 50) complaints.shift();
  });
  child.stdin.on('error', () => {}); // Its death is told by 'exit'.
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      complaints.push(error.message);
      resolve();
    });
  });
  const lines = readLines(child, gone, () => new Error(`${script} ended: ${complaints.join('').slice(-2_000)}`));
  let last: Promise<unknown> = Promise.resolve();
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  try {
    const ready = /^ready (\S+)$/.exec(await lines.next(startMs));
    if (!ready) throw new Error(`${script} did not say "ready <port or path>"`);
    return {
      port: Number(ready[1]),
      pid: child.pid ?? 0,
      kill,
      ask(question) {
        const answer = last.then(async () => {
          child.stdin.write(`${JSON.stringify(question)}\n`);
          const parsed = JSON.parse(await lines.next(answerMs)) as FarAnswer;
          if (parsed.error !== undefined) throw new Error(`${script}: ${parsed.error}`);
          return parsed;
        });
        last = answer.catch(() => {});
        return answer;
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

function readLines(child: ChildProcessWithoutNullStreams, gone: Promise<void>, ended: () => Error) {
  const ready: string[] = [];
  let wake = () => {};
  let over = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    ready.push(line);
    wake();
  });
  void gone.then(() => {
    over = true;
    wake();
  });
  return {
    async next(withinMs: number): Promise<string> {
      let late = false;
      const limit = setTimeout(() => {
        late = true;
        wake();
      }, withinMs);
      try {
        for (;;) {
          const line = ready.shift();
          if (line !== undefined) return line;
          if (over) throw ended();
          if (late) throw new Error(`nothing said in ${withinMs} ms`);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        clearTimeout(limit);
      }
    },
  };
}
