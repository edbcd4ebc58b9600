/**
 * A far end of its own: units with registers behind one TCP port, one line a request. It misbehaves as it is told.
 * `12 R 3 temp` → `12 = 21.5` or `12 ! 2` (exception); `13 W 3 temp 22` → `13 = ok`; `L` → `~ 3 temp 21.5` for what was
 * retained, then `* 3 temp 22` at every change.
 */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface Unit {
  registers: Map<string, string>;
  /** Never answers. */
  silent?: boolean;
  delayMs?: number;
  exception?: number;
  /** Says yes to a write and keeps the old value. */
  ignoresWrites?: boolean;
  refusesWrites?: boolean;
  /** Takes a write and says nothing. */
  dumbAfterWrites?: boolean;
}

export interface Request {
  unit: string;
  text: string;
  atMs: number;
}

export interface PlantServer {
  readonly port: number;
  units: Map<string, Unit>;
  /** Unit and register: told to whoever begins to listen. */
  retained: [string, string][];
  requests: Request[];
  /** Requests that came while another was not answered yet. */
  overlaps: number;
  connections: number;
  /** Takes connections and never says anything again on them: a link that is half open. */
  deaf: boolean;
  /** Changes a register and tells whoever listens. */
  set(unit: string, register: string, value: string): void;
  /** Cuts every connection. */
  hangUp(): void;
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

export async function plantServer(): Promise<PlantServer> {
  const sockets = new Set<Socket>();
  const listeners = new Set<Socket>();
  let port = 0;
  let inFlight = 0;

  const server = createServer((socket) => {
    plant.connections += 1;
    sockets.add(socket);
    const isDeaf = plant.deaf;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      listeners.delete(socket);
    });
    createInterface({ input: socket })
      .on('error', () => undefined)
      .on('line', (line) => {
        if (isDeaf) return;
        if (line === 'L') {
          listeners.add(socket);
          for (const [name, register] of plant.retained)
            socket.write(`~ ${name} ${register} ${plant.units.get(name)?.registers.get(register)}\n`);
          return;
        }
        answer(socket, line);
      });
  });

  function answer(socket: Socket, line: string): void {
    const [id = '', verb = '', name = '', register = '', ...rest] = line.split(' ');
    const unit = plant.units.get(name);
    plant.requests.push({ unit: name, text: line.slice(id.length + 1), atMs: performance.now() });
    if (inFlight > 0) plant.overlaps += 1;
    if (!unit || unit.silent || plant.deaf) return;
    inFlight += 1;
    setTimeout(() => {
      inFlight -= 1;
      const said = act(unit, name, verb, register, rest.join(' '));
      if (said !== undefined && !plant.deaf && socket.writable) socket.write(`${id} ${said}\n`);
    }, unit.delayMs ?? 0);
  }

  function act(unit: Unit, name: string, verb: string, register: string, value: string): string | undefined {
    if (unit.exception !== undefined) return `! ${unit.exception}`;
    if (verb === 'R')
      return register.split(',').every((one) => unit.registers.has(one))
        ? `= ${register
            .split(',')
            .map((one) => unit.registers.get(one))
            .join(',')}`
        : '! 2';
    if (unit.refusesWrites) return '! 4';
    if (!unit.ignoresWrites) plant.set(name, register, value);
    return unit.dumbAfterWrites ? undefined : '= ok';
  }

  const plant: PlantServer = {
    get port() {
      return port;
    },
    units: new Map(),
    retained: [],
    requests: [],
    overlaps: 0,
    connections: 0,
    deaf: false,
    set(name, register, value) {
      plant.units.get(name)?.registers.set(register, value);
      for (const socket of listeners) socket.write(`* ${name} ${register} ${value}\n`);
    },
    hangUp() {
      for (const socket of sockets) socket.destroy();
    },
    start: () =>
      new Promise((resolve) => {
        server.listen(port, '127.0.0.1', () => {
          port = (server.address() as AddressInfo).port;
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        plant.hangUp();
      }),
  };
  await plant.start();
  return plant;
}
