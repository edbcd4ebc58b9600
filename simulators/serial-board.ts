/**
 * Our climate sketch (`firmware/climate.c`) on a microcontroller's core: built with avr-gcc and run by simavr, its UART is a serial port. Where either is
 * missing there is no board.
 */
import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Board {
  close(): Promise<void>;
}

const readyWithinMs = 10_000;
const place = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const clockHz = 1_000_000;

/** Builds the sketch into `<path>.elf`; rejects with what the compiler said, or that there is none. */
export async function buildSketch(path: string): Promise<void> {
  const flags = ['-mmcu=atmega328p', '-Os', '-Wall', '-Wextra', '-Werror', `-DF_CPU=${clockHz}UL`];
  await promisify(execFile)('avr-gcc', [...flags, '-o', `${path}.elf`, place('firmware/climate.c')]);
}

/** Rejects with a sentence where this machine has no compiler or no core for it. */
export async function startBoard(path: string): Promise<Board> {
  await buildSketch(path);
  const child = spawn('python3', ['-u', place('serial-board.py'), path], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // Its death is told by 'exit'.
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const forget = () => rmSync(`${path}.elf`, { force: true });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = `${complaint}${String(text)}`.slice(-1_000);
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(complaint.trim().split('\n').at(-1) || 'the board did not start'));
      timer = setTimeout(fail, readyWithinMs);
      void ended.then(fail);
      child.stdout.once('data', () => resolve());
    });
  } catch (error) {
    child.kill();
    forget();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    async close() {
      child.stdin.end();
      await ended;
      forget();
    },
  };
}
