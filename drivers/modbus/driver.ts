/** Modbus: registers and coils of PLCs, meters, inverters and drives, over TCP and over serial lines (RTU). */
import type { Driver, Host, Shape } from '../../src/contract/driver.ts';
import { settingsText, wireMs } from '../tty/settings.ts';
import { modbusActionSchema } from './action.ts';
import type { Address } from './address.ts';
import { addressSchema } from './address.ts';
import { check } from './check.ts';
import { Client } from './client.ts';
import type { Target } from './dial.ts';
import { boundsOf } from './encode.ts';
import { framingOf } from './framing.ts';
import { joinLine, ttyOf } from './line-link.ts';
import type { WireMs } from './plan.ts';
import { isBits, isWritable } from './reference.ts';
import { ModbusSession } from './session.ts';
import {
  type ConnectionOptions,
  connectionSchema,
  type DeviceOptions,
  deviceSchema,
  endpointOf,
  isLine,
  isSerial,
  type LineTransport,
  secrets,
  type Transport,
} from './settings.ts';
import { probeSchema, scanSchema } from './survey-settings.ts';
import { connectTcp } from './tcp.ts';

export const modbus: Driver<ConnectionOptions, DeviceOptions, Address> = {
  kind: 'modbus',
  title: 'Modbus',
  connection: connectionSchema,
  device: deviceSchema,
  address: addressSchema,
  action: modbusActionSchema,
  secrets,
  check,
  endpoint: endpointOf,
  terms({ transport }) {
    if (!isLine(transport)) return undefined;
    const { name } = framingOf(transport);
    return isSerial(transport) ? `${name}, ${settingsText(ttyOf(transport))}` : `${name} over TCP`;
  },
  maxInFlight: ({ transport, maxInFlight }) => (isLine(transport) ? 1 : maxInFlight),
  shape(address): Shape {
    const { type } = address;
    if (type === 'bool') return { type: 'boolean' };
    if (type === 'string' || type === 'float32' || type === 'float64') return { type };
    return type === 'float16' || address.scaleFactor !== undefined ? { type: 'float64' } : { type: 'integer', ...boundsOf(address) };
  },
  abilities: ({ table }) => ({ read: true, write: isWritable(table) }),
  survey: { probe: probeSchema, scan: scanSchema },
  async open(line, host, signal) {
    const { options } = line.connection;
    const { transport, timeout, connectDelay, requestDelay, closeAfterPoll } = options;
    const client = await Client.open(
      {
        connect: (events, opening) =>
          isLine(transport)
            ? joinLine(transport, options, host, events, opening)
            : connectTcp(targetOf(transport, host), host.clock, events, opening),
        timeoutMs: timeout,
        requestDelayMs: requestDelay,
        connectDelayMs: connectDelay,
        closeWhenIdle: closeAfterPoll,
        clock: host.clock,
        traffic: host.traffic?.bind(host),
        discarded: host.discarded?.bind(host),
        lost: (error) => host.lost(error),
      },
      signal,
    );
    return new ModbusSession({ client, devices: line.devices, host, timeoutMs: timeout, wireMs: wireMsOf(transport) });
  },
};

function targetOf(transport: Exclude<Transport, LineTransport>, host: Host): Target {
  const { host: name, port } = transport;
  if (transport.type === 'tcp') return { host: name, port };
  const [ca, cert, key, passphrase] = secrets.map((secret) => host.secret(secret));
  return { host: name, port, tls: { verify: transport.verify, serverName: transport.serverName, ca, cert, key, passphrase } };
}

/** Unit, function, place and count ask for a block; unit, function and byte count come before what is answered. */
function wireMsOf(transport: Transport): WireMs {
  if (!isSerial(transport)) return () => undefined;
  const framing = framingOf(transport);
  const tty = ttyOf(transport);
  return (table, count) => {
    const answerBytes = 3 + (isBits(table) ? Math.ceil(count / 8) : count * 2);
    return Math.ceil(wireMs(tty, framing.wireBytes(6) + framing.wireBytes(answerBytes)) + 2 * framing.silenceMs(transport.baudRate));
  };
}
