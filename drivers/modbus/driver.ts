/** Modbus: registers and coils of PLCs, meters, inverters and drives, over TCP and over serial lines (RTU). */
import type { Driver, Shape } from '../../src/contract/driver.ts';
import { settingsText } from '../tty/settings.ts';
import type { Address } from './address.ts';
import { addressSchema } from './address.ts';
import { check } from './check.ts';
import { Client } from './client.ts';
import { bounds } from './encode.ts';
import { joinLine, ttyOf } from './rtu.ts';
import { ModbusSession } from './session.ts';
import { type ConnectionOptions, connectionSchema, type DeviceOptions, deviceSchema, endpointOf } from './settings.ts';
import { connectTcp } from './tcp.ts';

export const modbus: Driver<ConnectionOptions, DeviceOptions, Address> = {
  kind: 'modbus',
  title: 'Modbus',
  connection: connectionSchema,
  device: deviceSchema,
  address: addressSchema,
  secrets: [],
  check,
  endpoint: endpointOf,
  terms: ({ transport }) => (transport.type === 'rtu' ? settingsText(ttyOf(transport)) : undefined),
  maxInFlight: (options) => (options.transport.type === 'rtu' ? 1 : options.maxInFlight),
  shape: ({ type }): Shape => {
    if (type === 'bool') return { type: 'boolean' };
    if (type === 'string' || type === 'float32' || type === 'float64') return { type };
    return { type: 'integer', ...bounds[type] };
  },
  abilities: ({ table }) => ({ read: true, write: table === 'coil' || table === 'holding' }),
  async open(line, host, signal) {
    const { options } = line.connection;
    const { transport, timeout, connectDelay, requestDelay } = options;
    const client = await Client.open(
      {
        connect: (events, opening) =>
          transport.type === 'rtu'
            ? joinLine(transport, options, host, events, opening)
            : connectTcp(transport.host, transport.port, host.clock, events, opening),
        timeoutMs: timeout,
        requestDelayMs: requestDelay,
        clock: host.clock,
        lost: (error) => host.lost(error),
      },
      signal,
    );
    try {
      if (connectDelay > 0) await host.clock.sleep(connectDelay, signal);
    } catch (error) {
      await client.close();
      throw error;
    }
    return new ModbusSession(client, line.devices, timeout, host.clock);
  },
};
