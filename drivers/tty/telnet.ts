/** Telnet as far as a device server needs it (RFC 854, 855): data apart from commands. Bytes only, no socket. */

export const command = { se: 240, sb: 250, will: 251, wont: 252, do: 253, dont: 254, iac: 255 } as const;
export const option = { binary: 0, suppressGoAhead: 3, comPort: 44 } as const;

/** Bytes of a subnegotiation; those of RFC 2217 have five, a signature some more. */
const bodyMax = 256;

export interface TelnetEvents {
  data(bytes: Buffer): void;
  /** WILL, WONT, DO or DONT of the other end; true if the option is welcome. */
  option(verb: number, code: number): boolean;
  subnegotiation(code: number, body: Buffer): void;
  send(bytes: Buffer): void;
}

type State = 'data' | 'iac' | 'verb' | 'body' | 'body-iac';

export class Telnet {
  readonly #events: TelnetEvents;
  #state: State = 'data';
  #verb = 0;
  #body: number[] = [];
  /** Answered already; answering an answer would never end (RFC 854, p. 3). */
  readonly #settled = new Set<string>();

  constructor(events: TelnetEvents) {
    this.#events = events;
    // What we ask for ourselves needs no answer from us when it is granted.
    for (const code of [option.binary, option.suppressGoAhead]) {
      this.#settled.add(`${command.do} ${code}`);
      this.#settled.add(`${command.will} ${code}`);
    }
    this.#settled.add(`${command.do} ${option.comPort}`);
  }

  push(bytes: Buffer): void {
    const data: number[] = [];
    for (const byte of bytes) if (this.#take(byte)) data.push(byte);
    if (data.length > 0) this.#events.data(Buffer.from(data));
  }

  /** True if the byte is data. */
  #take(byte: number): boolean {
    switch (this.#state) {
      case 'data':
        if (byte !== command.iac) return true;
        this.#state = 'iac';
        return false;
      case 'iac':
        if (byte >= command.will && byte <= command.dont) {
          this.#verb = byte;
          this.#state = 'verb';
        } else if (byte === command.sb) {
          this.#body = [];
          this.#state = 'body';
        } else this.#state = 'data';
        return byte === command.iac;
      case 'verb':
        this.#state = 'data';
        this.#answer(this.#verb, byte);
        return false;
      case 'body':
        if (byte === command.iac) this.#state = 'body-iac';
        else this.#keep(byte);
        return false;
      case 'body-iac':
        if (byte === command.iac) {
          this.#keep(byte);
          this.#state = 'body';
        } else {
          this.#state = 'data';
          const [code, ...body] = this.#body;
          if (byte === command.se && code !== undefined) this.#events.subnegotiation(code, Buffer.from(body));
        }
        return false;
    }
  }

  #keep(byte: number): void {
    if (this.#body.length < bodyMax) this.#body.push(byte);
  }

  #answer(verb: number, code: number): void {
    const welcome = this.#events.option(verb, code);
    const key = `${verb} ${code}`;
    if (this.#settled.has(key) || verb === command.wont || verb === command.dont) return;
    this.#settled.add(key);
    const [yes, no] = verb === command.do ? [command.will, command.wont] : [command.do, command.dont];
    this.#events.send(telnetData.verb(welcome ? yes : no, code));
  }
}

/** What is sent. */
export const telnetData = {
  /** A byte of 255 is written twice. */
  escape(bytes: Uint8Array): Buffer {
    const plain = Buffer.from(bytes);
    return plain.includes(command.iac)
      ? Buffer.from(Array.from(plain).flatMap((byte) => (byte === command.iac ? [byte, byte] : [byte])))
      : plain;
  },
  verb: (verb: number, code: number): Buffer => Buffer.from([command.iac, verb, code]),
  subnegotiation: (code: number, body: Buffer): Buffer =>
    Buffer.concat([Buffer.from([command.iac, command.sb, code]), telnetData.escape(body), Buffer.from([command.iac, command.se])]),
};
