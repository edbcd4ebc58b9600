/** Names for serial ports that are not there yet, in a folder that goes away with the test run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let folder: string | undefined;
let count = 0;

export function portName(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'fieldgate-tty-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  count += 1;
  return join(folder, `port${count}`);
}
