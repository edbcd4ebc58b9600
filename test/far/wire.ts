/** A TCP wire with faults between a client and a server: slow, cut into pieces, silent without closing (a pulled plug), or cut. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Wire {
  readonly port: number;
  /** Pairs of sockets that were opened so far. */
  readonly opened: number;
  /** From now on each direction waits this long with every piece, and pieces have at most so many bytes. */
  shape(words: { delayMs?: number; pieceBytes?: number }): void;
  /** Takes everything and passes on nothing; both ends believe that they are connected. */
  silence(isSilent: boolean): void;
  /** Destroys what is open. */
  cut(): void;
  /** Refuses new connections, or takes them again. */
  refuse(isRefusing: boolean): void;
  close(): Promise<void>;
}

/** `seen` is called with what the client sends. */
export async function startWire(toPort: number, { seen }: { seen?: (chunk: Buffer) => void } = {}): Promise<Wire> {
  let delayMs = 0;
  let pieceBytes = Number.POSITIVE_INFINITY;
  let isSilent = false;
  let isRefusing = false;
  let opened = 0;
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket) => {
    let last: Promise<unknown> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      if (isSilent) return;
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const piece = chunk.subarray(at, Math.min(chunk.length, at + pieceBytes));
        last = last.then(async () => {
          if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
          // A turn of the event loop between two pieces, so that they are not put together again.
          else if (pieceBytes < chunk.length) await new Promise((resolve) => setImmediate(resolve));
          if (!to.destroyed) to.write(piece);
        });
      }
    });
    from.on('error', () => {});
    from.on('close', () => void last.then(() => isSilent || to.destroy()));
  };
  const server = createServer((near) => {
    if (isRefusing) {
      near.destroy();
      return;
    }
    opened++;
    const far = dial(toPort, '127.0.0.1');
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    if (seen) near.on('data', seen);
    pass(near, far);
    pass(far, near);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    get opened() {
      return opened;
    },
    shape(words) {
      delayMs = words.delayMs ?? 0;
      pieceBytes = words.pieceBytes ?? Number.POSITIVE_INFINITY;
    },
    silence(silent) {
      isSilent = silent;
    },
    cut,
    refuse(refusing) {
      isRefusing = refusing;
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
