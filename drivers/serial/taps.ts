/** Those who look at the traffic of a line; nobody sees the secret, though the device may echo it. */
import type { Traffic } from '../../src/contract/driver.ts';

type Tap = (message: Traffic) => void;

export class Taps {
  readonly #secret: string;
  readonly #taps = new Set<Tap>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  add(tap: Tap): void {
    this.#taps.add(tap);
  }

  delete(tap: Tap): void {
    this.#taps.delete(tap);
  }

  tell(message: Traffic): void {
    if (this.#taps.size === 0) return;
    const told = this.#secret === '' ? message : { ...message, bytes: hide(Buffer.from(message.bytes), this.#secret) };
    for (const tap of this.#taps) tap(told);
  }
}

/** The bytes with stars in the place of the secret. */
export function hide(bytes: Buffer, secret: string): Buffer {
  if (secret === '' || !bytes.includes(secret)) return bytes;
  return Buffer.from(bytes.toString('latin1').replaceAll(Buffer.from(secret).toString('latin1'), '***'), 'latin1');
}
