/** The wire as a whole: checks the host, listens, says where, and answers until there is a reason to end. */
import type { ServerOptions as Http2Options } from 'node:http2';
import { Server, type ServerOptions } from '@grpc/grpc-js';
import type { Clock } from '../contract/clock.ts';
import { messageOf } from '../contract/fault.ts';
import { limits } from '../contract/limits.ts';
import type { Log } from '../contract/log.ts';
import type { Datasource } from '../datasource/questions.ts';
import { Calls } from './calls.ts';
import { dataService } from './data.ts';
import { diagnosticsService } from './diagnostics.ts';
import { openDoor } from './door.ts';
import { DataService, DiagnosticsService, ResourceService, StreamService } from './generated/backend.ts';
import { addGoPlugin } from './goplugin.ts';
import { announce, checkHost, handshakeLine } from './handshake.ts';
import { watchHost } from './host.ts';
import { resourceService } from './resource.ts';
import { sendInPieces } from './send.ts';
import { streamService } from './stream.ts';
import { survive } from './survival.ts';

export interface ServeOptions {
  /** Called when the handshake is out, so that a slow start of the rooms does not delay Grafana's; questions wait for it. */
  open: () => Promise<Datasource>;
  env: NodeJS.ProcessEnv;
  platform: NodeJS.Platform;
  clock: Clock;
  log: Log;
}

export interface Served {
  /** Resolves with the reason once the process should end. */
  readonly ended: Promise<string>;
  /** Aborts what runs, hangs up, frees socket and folder. Never rejects. */
  close(): Promise<void>;
}

const serverOptions: ServerOptions = {
  'grpc.max_receive_message_length': limits.requestBytesMax,
  // The host takes any size; what we send is bounded by rowsPerQueryMax.
  'grpc.max_send_message_length': -1,
  // Books about calls and sockets that a channelz service would show: we have none.
  'grpc.enable_channelz': 0,
};

/** Throws a `Refusal` if this process was not started by a host we can serve. Resolves when the handshake is out. */
export async function serve({ open, env, platform, clock, log }: ServeOptions): Promise<Served> {
  checkHost(env);
  const host = watchHost(clock);
  const settle = survive(clock, log, host.end);
  const { promise: datasource, resolve: opened, reject: failed } = Promise.withResolvers<Datasource>();
  datasource.catch((error: unknown) => host.end(`the data source could not be made: ${messageOf(error)}`));
  const calls = new Calls(log, host.contacted);
  const server = new Server({ ...serverOptions, interceptors: [sendInPieces] });
  bearGivenUpCalls(server);
  server.addService(DataService, dataService(datasource, calls));
  server.addService(ResourceService, resourceService(datasource, calls));
  server.addService(DiagnosticsService, diagnosticsService(datasource, calls));
  server.addService(StreamService, streamService(datasource, calls));
  addGoPlugin(server, host);
  const door = await openDoor(server, env, platform, log);
  // However the process ends short of being killed.
  process.once('exit', door.remove);
  announce(handshakeLine(door, env));
  open().then(opened, failed);
  return {
    ended: host.ended,
    async close() {
      host.stop();
      await Promise.race([calls.end(), clock.sleep(limits.callsEndMs)]);
      // A moment for the answer to Shutdown and for the errors of ended streams to leave.
      await clock.sleep(limits.hangUpMs);
      server.forceShutdown();
      door.remove();
      settle();
    },
  };
}

/** grpc-js (1.14.7) passes its own choice of options on to Node's HTTP/2 server; what else has to be said goes in beside them. */
function bearGivenUpCalls(server: Server): void {
  const options = Reflect.get(server, 'commonServerOptions') as Http2Options;
  options.streamResetBurst = limits.callsGivenUpBurst;
  options.streamResetRate = limits.callsGivenUpPerSecond;
}
