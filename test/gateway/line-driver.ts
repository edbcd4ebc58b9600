/** A driver for `plant-server.ts`, by the contract of DESIGN §4, with faults a driver may have when it is told to. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { ActionConfig, Device, Point } from '../../src/contract/device.ts';
import type { Answer, Driver, Host, Line, PlannedRequest, Reading, Session, Shape, Sink, Survey } from '../../src/contract/driver.ts';
import { LinkLost } from '../../src/contract/fault.ts';
import type { Value } from '../../src/contract/sample.ts';

export interface Options {
  port: number;
  timeoutMs: number;
  inFlight: number;
  note?: string;
  /** Of an endpoint that is opened once for all. */
  terms?: string;
}
export interface Address {
  register: string;
  shape: Shape;
  /** It speaks by itself and cannot be asked. */
  heard?: boolean;
}
type LinePoint = Point<Address>;

/** What the driver does wrong, for as long as it is set. */
export interface Bugs {
  throwsOnRead?: boolean;
  /** Never ends a read, whatever its signal says. */
  hangsOnRead?: boolean;
  hangsOnOpen?: boolean;
  throwsOnPlan?: boolean;
  hangsOnClose?: boolean;
  hangsOnScan?: boolean;
  throwsOnScan?: boolean;
}

class LineSession implements Session<Address> {
  readonly #socket: Socket;
  readonly #line: Line<Options, { unit: string }, Address>;
  readonly #host: Host;
  readonly #bugs: Bugs;
  readonly #waiting = new Map<string, (said: string | Error) => void>();
  #heard: (unit: string, register: string, value: string, retained: boolean) => void = () => undefined;
  #ids = 0;

  constructor(socket: Socket, line: Line<Options, { unit: string }, Address>, host: Host, bugs: Bugs) {
    this.#socket = socket;
    this.#line = line;
    this.#host = host;
    this.#bugs = bugs;
    createInterface({ input: socket })
      .on('error', () => undefined)
      .on('line', (text) => {
        const [id = '', ...rest] = text.split(' ');
        if (id === '*' || id === '~') this.#heard(rest[0] ?? '', rest[1] ?? '', rest.slice(2).join(' '), id === '~');
        else this.#waiting.get(id)?.(rest.join(' '));
        this.#tell('in', text);
      });
    socket.on('close', () => {
      const lost = new LinkLost('the far end hung up');
      for (const settle of [...this.#waiting.values()]) settle(lost);
      host.lost(lost);
    });
    socket.on('error', () => undefined);
  }

  #tell(direction: 'in' | 'out', text: string): void {
    const [, verb, unit] = text.split(' ');
    this.#host.traffic?.({
      direction,
      bytes: Buffer.from(`${text}\n`),
      ...(direction === 'out' ? { meaning: verb === 'W' || text.startsWith('W') ? 'write' : 'read', unit: text.split(' ')[1] ?? '' } : {}),
      ...(verb === '!' ? { isFault: true, meaning: `exception ${unit}` } : {}),
    });
  }

  #unit(point: LinePoint): string {
    return this.#line.devices.find((device) => device.id === point.device)?.address.unit ?? '?';
  }

  plan(points: readonly LinePoint[]): PlannedRequest<Address>[] {
    if (this.#bugs.throwsOnPlan) throw new TypeError('a bug in plan');
    const asked = points.filter((point) => !point.address.heard);
    return [...Map.groupBy(asked, (point) => this.#unit(point))].map(([unit, together]) => {
      const registers = together.map((point) => point.address.register).join(',');
      return { unit, text: `read ${registers} of unit ${unit}`, points: together, detail: registers };
    });
  }

  async read(request: PlannedRequest<Address>): Promise<Reading<Address>[]> {
    if (this.#bugs.throwsOnRead) throw new TypeError('a bug in read');
    if (this.#bugs.hangsOnRead) return await new Promise(() => undefined);
    const said = await this.#ask(`R ${request.unit} ${String(request.detail)}`);
    if (said === undefined) return request.points.map((point) => ({ point, value: null, reason: 'timeout', detail: 'no answer' }));
    if (said.startsWith('!'))
      return request.points.map((point) => ({
        point,
        value: null,
        reason: `exception-${Number(said.slice(2))}`,
        detail: `exception ${said.slice(2)}`,
      }));
    const values = said.slice(2).split(',');
    return request.points.map((point, index) => ({ point, value: decode(point.address.shape, values[index] ?? ''), reason: '' }));
  }

  async listen(points: readonly LinePoint[], sink: Sink<Address>, signal: AbortSignal): Promise<void> {
    const heard = points.filter((point) => point.address.heard);
    this.#heard = (unit, register, value, retained) => {
      const point = heard.find((one) => this.#unit(one) === unit && one.address.register === register);
      if (point) void sink.commit([{ point, value: decode(point.address.shape, value), reason: '', retained }]);
    };
    if (heard.length > 0) this.#socket.write('L\n');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  async write(point: LinePoint, value: Value): Promise<Answer> {
    const said = await this.#ask(`W ${this.#unit(point)} ${point.address.register} ${String(value)}`);
    if (said === undefined) return { state: 'unknown', detail: 'no answer' };
    return said.startsWith('!') ? { state: 'refused', detail: `exception ${said.slice(2)}` } : { state: 'acknowledged' };
  }

  async act(device: Device, action: ActionConfig, parameters: Record<string, unknown>): Promise<Answer> {
    const said = await this.#ask(`W ${(device.address as { unit: string }).unit} ${action.id} ${JSON.stringify(parameters)}`);
    if (said === undefined) return { state: 'unknown', detail: 'no answer' };
    return said.startsWith('!') ? { state: 'refused', detail: `exception ${said.slice(2)}` } : { state: 'acknowledged' };
  }

  /** Asks units 1 to `units` for a register. */
  async scan(
    options: { units: number; register: string; flood: number; kinds: number },
    survey: Survey,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#bugs.hangsOnScan) return await new Promise(() => undefined);
    if (this.#bugs.throwsOnScan) throw new TypeError('a bug in scan');
    if (this.#host.trial) this.#host.memory.set('found', options.units);
    for (let unit = 1; unit <= options.units; unit += 1) {
      survey.progress(unit - 1, options.units, `asking unit ${unit}`);
      const said = await survey.turn(String(unit), () => this.#ask(`R ${unit} ${options.register}`));
      signal.throwIfAborted();
      if (said === undefined) continue;
      survey.found({
        id: `unit-${unit}`,
        kind: 'unit',
        text: `unit ${unit} answers`,
        values: { unit, answer: said, trial: this.#host.trial === true, password: this.#host.secret('password') !== undefined },
        proposes: { devices: [{ id: `unit-${unit}`, address: { unit: String(unit) } }] },
      });
    }
    // The same ids again and again: each time another finding in the place of the one before.
    for (let n = 0; n < options.flood; n += 1) {
      if (n % 500 === 0) await survey.turn('1', () => Promise.resolve());
      survey.found({ id: `flood-${n % options.kinds}`, kind: 'flood', text: 'x'.repeat(1_000), values: { n } });
    }
    survey.progress(options.units, options.units, 'all asked');
  }

  #ask(text: string): Promise<string | undefined> {
    const id = String(++this.#ids);
    this.#tell('out', text);
    return new Promise((resolve, reject) => {
      const settle = (said: string | undefined | Error) => {
        cancel();
        this.#waiting.delete(id);
        if (said instanceof Error) reject(said);
        else resolve(said);
      };
      const cancel = this.#host.clock.after(this.#line.connection.options.timeoutMs, () => settle(undefined));
      if (this.#socket.destroyed) return settle(new LinkLost('the far end hung up'));
      this.#waiting.set(id, settle);
      this.#socket.write(`${id} ${text}\n`);
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    if (this.#bugs.hangsOnClose) await new Promise(() => undefined);
  }
}

function decode(shape: Shape, text: string): Value {
  if (shape.type === 'string') return text;
  if (shape.type === 'boolean') return text === 'true' || text === '1';
  return shape.type === 'integer' && !Number.isSafeInteger(Number(text)) ? BigInt(text) : Number(text);
}

export function lineDriver(bugs: Bugs = {}): Driver<Options, { unit: string }, Address> {
  return {
    kind: 'line',
    title: 'Lines over TCP',
    connection: z.any(),
    device: z.any(),
    address: z.any(),
    secrets: ['password'],
    check: () => [],
    survey: {
      scan: z.strictObject({
        units: z.int().min(1).max(247).default(4),
        register: z.string().default('temp'),
        flood: z.int().min(0).max(100_000).default(0),
        kinds: z.int().min(1).default(100_000),
      }),
    },
    terms: (options) => options.terms,
    endpoint: (options) => `tcp://127.0.0.1:${options.port}`,
    maxInFlight: (options) => options.inFlight,
    shape: (address) => address.shape,
    abilities: () => ({ read: true, write: true }),
    async open(line, host, signal) {
      if (bugs.hangsOnOpen) return await new Promise(() => undefined);
      const socket = connect(line.connection.options.port, '127.0.0.1');
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }).catch((error: unknown) => {
        socket.destroy();
        throw error;
      });
      return new LineSession(socket, line, host, bugs) as Session<Address>;
    },
  };
}
