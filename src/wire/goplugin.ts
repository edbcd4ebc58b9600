/** What go-plugin's host wants beside the plugin itself: health, controller, stdio and broker (facts/grafana.md §8.2). */
import type { EventEmitter } from 'node:events';
import { type handleBidiStreamingCall, type handleServerStreamingCall, type handleUnaryCall, type Server, status } from '@grpc/grpc-js';
import { type ConnInfo, GRPCBrokerService } from './generated/grpc_broker.ts';
import { type Empty, GRPCControllerService } from './generated/grpc_controller.ts';
import { GRPCStdioService, type StdioData } from './generated/grpc_stdio.ts';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from './generated/health.ts';

export interface HostEvents {
  /** Somebody has called, with whatever. */
  contacted(): void;
  /** A host has opened one of the streams that only a host opens. */
  arrived(): void;
  /** Such a stream has ended. */
  left(): void;
  /** The host asks us to end; it has its answer. */
  shutdown(): void;
}

export function addGoPlugin(server: Server, events: HostEvents): void {
  server.addService(HealthService, { check: check(events), watch });
  server.addService(GRPCControllerService, { shutdown: shutdown(events) });
  server.addService(GRPCStdioService, { streamStdio: stdio(events) });
  server.addService(GRPCBrokerService, { startStream: broker(events) });
}

/** go-plugin asks for "plugin"; the empty name is the server as a whole. */
const services = new Set(['', 'plugin']);

function check(events: HostEvents): handleUnaryCall<HealthCheckRequest, HealthCheckResponse> {
  return (call, respond) => {
    events.contacted();
    if (services.has(call.request.service)) respond(null, { status: Serving.SERVING });
    else respond({ code: status.NOT_FOUND, details: 'unknown service' });
  };
}

/** Stays open: nothing changes until the process ends, and then the connection says so. */
const watch: handleServerStreamingCall<HealthCheckRequest, HealthCheckResponse> = (call) => {
  call.write({ status: services.has(call.request.service) ? Serving.SERVING : Serving.SERVICE_UNKNOWN });
};

function shutdown(events: HostEvents): handleUnaryCall<Empty, Empty> {
  return (_call, respond) => {
    respond(null, {});
    events.shutdown();
  };
}

/** Nothing is sent: stdout is silent and stderr is the log, which the host reads from the pipe. */
function stdio(events: HostEvents): handleServerStreamingCall<unknown, StdioData> {
  return (call) => keepOpen(call, events);
}

/** Nothing is brokered: our services need no second connection. What the host says is read and forgotten. */
function broker(events: HostEvents): handleBidiStreamingCall<ConnInfo, ConnInfo> {
  return (call) => {
    call.resume();
    call.on('end', () => call.end());
    keepOpen(call, events);
  };
}

/** 'cancelled' comes once for every call, also after an orderly end. */
function keepOpen(call: EventEmitter, events: HostEvents): void {
  events.arrived();
  call.on('cancelled', () => events.left());
}
