/** The screen and the line under it, redrawn in place. Control sequences are those of ECMA-48 and the xterm alternate screen. */
import { emitKeypressEvents, type Key } from 'node:readline';

/** Without wrapping: a line that is too long for the window is clipped and does not push the others down. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const clearRight = '\u001b[K';
const clearBelow = '\u001b[J';
/** A line longer than this is no order. */
const lineLengthMax = 1_000;

export class Terminal {
  #typed = '';
  #lines: string[] = [];
  #history: string[] = [];
  #closed = false;
  readonly #onKey = (text: string | undefined, key: Key) => this.#key(text, key);
  readonly #onResize = () => this.show(this.#lines);
  readonly #run: (line: string) => void;

  /** `run` gets each line that was typed; Ctrl-C and Ctrl-D are `quit`. */
  constructor(run: (line: string) => void) {
    this.#run = run;
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true);
    process.stdin.on('keypress', this.#onKey);
    process.stdout.on('resize', this.#onResize);
    process.stdout.write(enter);
  }

  /** Room for the screen; the last line is the prompt's. */
  get size(): { width: number; height: number } {
    return { width: process.stdout.columns || 80, height: Math.max(1, (process.stdout.rows || 24) - 1) };
  }

  show(lines: string[]): void {
    if (this.#closed) return;
    this.#lines = lines;
    const { width, height } = this.size;
    // The end of a long line is where one types.
    const typed = this.#typed.slice(-Math.max(1, width - 3));
    const body = lines
      .slice(0, height)
      .map((line) => `${line}${clearRight}\n`)
      .join('');
    process.stdout.write(`${home}${body}${clearBelow}\u001b[${height + 1};1H> ${typed}\u001b[7m \u001b[0m${clearRight}`);
  }

  /** Gives the terminal back; nothing is drawn any more. */
  close(): void {
    this.#closed = true;
    process.stdin.off('keypress', this.#onKey);
    process.stdout.off('resize', this.#onResize);
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.write(leave);
  }

  #key(text: string | undefined, key: Key): void {
    if (key.ctrl && (key.name === 'c' || key.name === 'd')) {
      this.#run('quit');
      return;
    }
    // A line feed is an Enter that was pressed before this screen was there.
    if (key.name === 'return' || key.name === 'enter') {
      const line = this.#typed.trim();
      this.#typed = '';
      if (line) this.#history.push(line);
      if (line) this.#run(line);
    } else if (key.name === 'backspace') this.#typed = this.#typed.slice(0, -1);
    else if (key.name === 'escape') this.#typed = '';
    else if (key.name === 'up') this.#typed = this.#history.at(-1) ?? '';
    else if (text && !key.ctrl && !key.meta && text >= ' ' && this.#typed.length < lineLengthMax) this.#typed += text;
    this.show(this.#lines);
  }
}
